/// What a subject has used, in the reference.
struct Counts {
    /// In milliseconds.
    private(set) var writtenAt: Int64 = 0
    /// 0: not known.
    var month: Int64 = 0
    /// Requests and tokens.
    var ofMonth: [Int64] = [0, 0]
    /// By quantity and window, under the number of the minute, the hour or the day.
    private var buckets = [[Int64: Int64]](repeating: [:], count: 6)

    /// What was counted in a bucket stays there; where the clock was set back, it counts as of now.
    mutating func move(to now: Int64, month: Int64) {
        for (place, window) in Window.all.enumerated() {
            let (then, present) = (writtenAt / window.length, now / window.length)
            let counted = buckets[place]
            buckets[place] = [:]
            for bucket in [present - 1, present] {
                buckets[place][bucket] = counted[then > present ? bucket + then - present : bucket]
            }
        }
        writtenAt = now
        if self.month > 0, month > self.month {
            self.month = month
            ofMonth = [0, 0]
        }
    }

    mutating func count(_ requests: Int64, _ tokens: Int64) {
        for (place, window) in Window.all.enumerated() {
            let amount = window.countsTokens ? tokens : requests
            buckets[place][writtenAt / window.length, default: 0] += amount
        }
        if month > 0 { ofMonth = [ofMonth[0] + requests, ofMonth[1] + tokens] }
    }

    mutating func correct(_ difference: Int64, admittedAt: Int64, in month: Int64?) {
        for (place, window) in Window.all.enumerated() where window.countsTokens {
            let present = writtenAt / window.length
            let bucket = min(admittedAt / window.length, present)
            guard bucket >= present - 1 else { continue }
            buckets[place][bucket] = max(0, (buckets[place][bucket] ?? 0) + difference)
        }
        if month == self.month { ofMonth[1] = max(0, ofMonth[1] + difference) }
    }

    // MARK: Limits

    /// - Parameter limits: by quantity: minute, hour, day, month.
    func takes(_ requests: Int64, _ tokens: Int64, under limits: [Int64?]) -> Bool {
        (0..<8).allSatisfy { place in
            limits[place].map { room(place, under: $0) >= (place < 4 ? requests : tokens) } ?? true
        }
    }

    /// The most that still fits: the greatest amount for which the present bucket, the amount, and the share of the
    /// bucket before that a window still covers are together at most the limit.
    func room(_ place: Int, under limit: Int64) -> Int64 {
        if place % 4 == 3 { return limit - ofMonth[place / 4] }
        let window = Window.all[place / 4 * 3 + place % 4]
        let counted = buckets[place / 4 * 3 + place % 4]
        let present = writtenAt / window.length
        let gone = writtenAt % window.length / (window.length / window.parts)
        let parts = Int128(window.parts)
        let room =
            Int128(limit) * parts - Int128(counted[present] ?? 0) * parts
            - Int128(counted[present - 1] ?? 0) * Int128(window.parts - gone)
        // Rounded down.
        return Int64(room >= 0 ? room / parts : -((-room + parts - 1) / parts))
    }

    /// In the order in which Redis keeps them.
    var numbers: [Int64] {
        let present = Window.all.indices.map { buckets[$0][writtenAt / Window.all[$0].length] ?? 0 }
        let before = Window.all.indices.map { buckets[$0][writtenAt / Window.all[$0].length - 1] ?? 0 }
        return [writtenAt] + present + before + [month] + ofMonth
    }
}

/// In milliseconds, and in how many parts it slides.
struct Window {
    var length: Int64
    var parts: Int64
    var countsTokens: Bool

    static let minute: Int64 = 60_000
    static let hour: Int64 = 3_600_000
    static let day: Int64 = 86_400_000

    static let all = [false, true].flatMap { countsTokens in
        [(minute, 60_000), (hour, 36_000), (day, 86_400)].map { length, parts in
            Window(length: length, parts: parts, countsTokens: countsTokens)
        }
    }
}
