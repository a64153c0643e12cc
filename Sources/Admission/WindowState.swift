/// What a subject has used, as Redis keeps it: of each window the present bucket and the one before, and of the month.
///
/// Buckets are the minutes, hours and days of Redis's clock. What counts at a moment is the present bucket, and so much
/// of the one before as a window that ends now still covers. The functions in Redis do the same arithmetic: all of it is
/// exact in whole numbers.
package struct WindowState: Sendable {
    /// As Redis keeps it: numbers of 64 bits, little-endian.
    package static let byteCount = 16 * 8

    /// When it was written; the present buckets, by quantity and span; the buckets before them; which month, and its
    /// counts by quantity.
    private var numbers = InlineArray<16, Int64>(repeating: 0)

    package init() {}

    /// - Parameter bytes: `byteCount` of them, as Redis keeps them.
    package init(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == Self.byteCount)
        for place in 0..<16 {
            let number = Double(bitPattern: bytes.loadUnaligned(fromByteOffset: place * 8, as: UInt64.self))
            numbers[place] = Int64(exactly: number.rounded(.down)) ?? 0
        }
    }

    /// As Redis keeps it.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for place in 0..<16 { bytes.append(double: Double(numbers[place])) }
        return bytes
    }

    /// Milliseconds of Redis's clock.
    package var writtenAt: Int64 {
        get { numbers[0] }
        set { numbers[0] = newValue }
    }

    /// Years times 12, and months; 0 where what came before in it is not known.
    package var month: Int64 {
        get { numbers[13] }
        set { numbers[13] = newValue }
    }

    /// Of the present bucket, or the month.
    package subscript(_ quantity: Quantity, _ span: Span) -> Int64 {
        get { numbers[Self.place(quantity, span)] }
        set { numbers[Self.place(quantity, span)] = newValue }
    }

    /// Of the bucket before.
    package func before(_ quantity: Quantity, _ span: Span) -> Int64 {
        span == .month ? 0 : numbers[Self.place(quantity, span) + 6]
    }

    private static func place(_ quantity: Quantity, _ span: Span) -> Int {
        span == .month ? 14 + quantity.rawValue : 1 + quantity.rawValue * 3 + span.rawValue
    }

    // MARK: Time

    /// The same as it stands at `now`, in this month. Where the clock was set back, nothing is forgotten.
    package func rolled(to now: Int64, month: Int64) -> WindowState {
        var state = self
        for span in [Span.minute, .hour, .day] {
            let length = span.steps * span.step
            let passed = now / length - writtenAt / length
            guard passed > 0 else { break }
            for quantity in Quantity.allCases {
                let place = Self.place(quantity, span)
                state.numbers[place + 6] = passed == 1 ? numbers[place] : 0
                state.numbers[place] = 0
            }
        }
        if state.month > 0, month > state.month {
            state.month = month
            for quantity in Quantity.allCases { state[quantity, .month] = 0 }
        }
        state.writtenAt = now
        return state
    }

    /// How many steps of the bucket before a window that ends at `now` still covers.
    private static func stepsLeft(_ span: Span, at now: Int64) -> Int64 {
        span.steps - now / span.step % span.steps
    }

    // MARK: Limits

    /// Whether `amount` more fits under a limit. The state stands at `now`.
    package func takes(
        _ amount: Int64, _ quantity: Quantity, _ span: Span, under limit: Int, at now: Int64
    ) -> Bool {
        let room = Int64(limit) - self[quantity, span] - amount
        if span == .month { return room >= 0 }
        return before(quantity, span) * Self.stepsLeft(span, at: now) <= room.saturatingProduct(span.steps)
    }

    /// How much is used up, rounded up. The state stands at `now`.
    package func used(_ quantity: Quantity, _ span: Span, at now: Int64) -> Int64 {
        if span == .month { return self[quantity, span] }
        let covered = before(quantity, span) * Self.stepsLeft(span, at: now)
        return self[quantity, span] + (covered + span.steps - 1) / span.steps
    }

    /// When nothing is used any more, unless something comes. The state stands at `now`.
    package func clearAt(_ quantity: Quantity, _ span: Span, at now: Int64, endOfMonth: Int64) -> Int64 {
        if span == .month { return self[quantity, span] > 0 ? endOfMonth : now }
        let length = span.steps * span.step
        let start = now - now % length
        if self[quantity, span] > 0 { return start + 2 * length }
        return before(quantity, span) > 0 ? start + length : now
    }

    /// The first millisecond at which `amount` fits, if nothing comes before; nil where it never does. The state stands
    /// at `now`.
    package func firstFit(
        _ amount: Int64, _ quantity: Quantity, _ span: Span, under limit: Int, at now: Int64,
        endOfMonth: Int64
    ) -> Int64? {
        if takes(amount, quantity, span, under: limit, at: now) { return now }
        guard amount <= limit else { return nil }
        if span == .month { return endOfMonth }
        let (steps, length) = (span.steps, span.steps * span.step)
        let start = now - now % length
        // In the present bucket, as that before it goes.
        var room = Int64(limit) - self[quantity, span] - amount
        var going = before(quantity, span)
        if room >= 0, going > 0 {
            let covered = room.saturatingProduct(steps) / going
            if covered >= 1 { return start + (steps - covered) * span.step }
        }
        // In the next one, as the present one goes; or behind it, when all of this is gone.
        room = Int64(limit) - amount
        going = self[quantity, span]
        let covered = going > 0 ? min(steps, room.saturatingProduct(steps) / going) : steps
        return start + length + (steps - covered) * span.step
    }
}

extension WindowState: Equatable {
    package static func == (one: WindowState, other: WindowState) -> Bool {
        (0..<16).allSatisfy { one.numbers[$0] == other.numbers[$0] }
    }
}

extension Int64 {
    fileprivate func saturatingProduct(_ factor: Int64) -> Int64 {
        let (product, overflows) = multipliedReportingOverflow(by: factor)
        return overflows ? (self < 0 ? .min : .max) : product
    }
}

extension [UInt8] {
    /// As Lua's `struct` reads `<d`.
    mutating func append(double number: Double) {
        Swift.withUnsafeBytes(of: number.bitPattern.littleEndian) { append(contentsOf: $0) }
    }
}
