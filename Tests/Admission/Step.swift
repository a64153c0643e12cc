/// One step of a schedule: when, and what is called.
struct Step {
    /// Microseconds of Redis's clock.
    var time: Int64
    /// How many seconds Redis shall keep all of it if nobody comes.
    var life: Int64
    var call: Call

    enum Call {
        case admit(Admission)
        case settle(Settlement)
        case renew(Renewal)
        case seed(Seeding)
        case fund(Funding)
        /// What identity and cache write beside the counts.
        case know(generation: Int64, purges: Int64?)
        /// What is there is written down.
        case keep
        /// Another process of Redis, with what there was or with what was written down.
        case restart(run: Int64, withWhatWasKept: Bool)
        case flush
    }

    struct Month {
        var index: Int64
        var start: Int64
        var end: Int64
    }

    struct Admission {
        var weight: Int64 = 1
        var tokens: Int64 = 0
        var deadline: Int64 = 0
        var month: Month?
        var worker: Int64 = 1
        var lease: Int64 = 30_000
        /// By quantity: minute, hour, day, month; nil does not limit.
        var windows: [(field: String, limits: [Int64?])] = []
        var slots: [(field: String, limit: Int64)] = []
        var money: [(field: String, amount: Int64)] = []
        var hold = ""
        var generation: Int64?
        /// Counts whatever the limits say.
        var isForced = false
    }

    struct Settlement {
        /// In milliseconds.
        var admittedAt: Int64
        var difference: Int64
        var month: Int64?
        var worker: Int64
        var windows: [String]
        var slots: [String]
        var money: [String]
        var hold: String
        /// Of each limit.
        var costs: [Int64]
        var entry: Int64?
        var isRepeated: Bool
    }

    struct Funding {
        /// As the refusal had it.
        var run: Int64
        var issuedAt: Int64
        var latest: Int64
        var isRepeated = false
        var memory: Int64
        var most: Int64
        /// Each limit's name and each grant's have 16 characters.
        var grants: [(limit: String, number: Int64, amount: Int64)]

        static func name(of grant: Int64) -> String {
            let digits = "\(grant)"
            return "grant" + String(repeating: "0", count: 11 - digits.count) + digits
        }
    }

    struct Renewal {
        var worker: Int64
        var lease: Int64
        var slots: [(field: String, answered: Int64, asked: Int64)]
    }

    struct Seeding {
        var month: Int64
        var subjects: [(field: String, requests: Int64, tokens: Int64)]
    }
}

// MARK: - As the functions take it
extension Step {
    /// A number that says which function, the time, and its arguments, each behind its length.
    func encode(to output: inout [UInt8]) {
        let arguments = arguments
        output.append(numbers: [kind, time / 1_000_000, time % 1_000_000, Int64(arguments.count)])
        for argument in arguments {
            output.append(numbers: [Int64(argument.count)])
            output.append(contentsOf: argument)
        }
    }

    private var kind: Int64 {
        switch call {
        case .admit: 1
        case .settle: 2
        case .renew: 3
        case .seed: 4
        case .fund: 5
        case .know: 6
        case .keep: 7
        case .restart: 8
        case .flush: 9
        }
    }

    private var arguments: [[UInt8]] {
        switch call {
        case .admit(let admission): admission.arguments(life)
        case .settle(let settlement): settlement.arguments
        case .renew(let renewal):
            [pack([renewal.worker, renewal.lease, life])]
                + renewal.slots.flatMap { [Array($0.field.utf8), pack([$0.answered, $0.asked])] }
        case .seed(let seeding):
            [pack([seeding.month, life])]
                + seeding.subjects.flatMap { [Array($0.field.utf8), pack([$0.requests, $0.tokens])] }
        case .fund(let funding): funding.arguments(life)
        case .know(let generation, let purges):
            ["g", "\(generation)"].map { Array($0.utf8) }
                + (purges.map { ["x", "\($0)"].map { Array($0.utf8) } } ?? [])
        case .keep, .flush: []
        case .restart(let run, let isOlder): [pack([run, isOlder ? 1 : 0])]
        }
    }
}

extension Step.Admission {
    fileprivate func arguments(_ life: Int64) -> [[UInt8]] {
        let unlimited: Int64 = 1_000_000_000_000_000
        let latest = isForced ? 0 : deadline > 0 ? deadline : unlimited
        var numbers = [weight, tokens, latest, generation ?? -1, month?.index ?? 0, life]
        numbers += [windows.count, slots.count, money.count].map(Int64.init)
        numbers += windows.flatMap(\.limits).map { $0 ?? unlimited } + slots.map(\.limit)
        if let month { numbers += [month.start, month.end] }
        if !slots.isEmpty { numbers += [worker, lease] }
        let names =
            windows.map(\.field) + slots.map(\.field) + money.map(\.field)
            + (money.isEmpty ? [] : [hold, ""])
        return [pack(numbers + money.map(\.amount))] + names.map { Array($0.utf8) }
    }
}

extension Step.Settlement {
    fileprivate var arguments: [[UInt8]] {
        var numbers = [admittedAt, difference, month ?? -1, worker, Int64(windows.count)]
        numbers += [Int64(slots.count), Int64(money.count), entry == nil ? 0 : 1, isRepeated ? 1 : 0]
        numbers += costs
        var arguments = [pack(numbers)] + (windows + slots + money).map { Array($0.utf8) }
        if !money.isEmpty { arguments.append(Array(hold.utf8)) }
        if let entry { arguments += [pack([entry]), pack([entry])] }
        return arguments
    }
}

extension Step.Funding {
    fileprivate func arguments(_ life: Int64) -> [[UInt8]] {
        var arguments = [pack([run, issuedAt, latest, isRepeated ? 1 : 0, memory, most, life])]
        for grant in grants {
            arguments += [
                Array(grant.limit.utf8), Array(Self.name(of: grant.number).utf8), pack([grant.amount]),
            ]
        }
        return arguments
    }
}

func pack(_ numbers: [Int64]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(numbers: numbers)
    return bytes
}

extension [UInt8] {
    /// As Lua's `struct` reads `<d`.
    mutating func append(numbers: [Int64]) {
        numbers.map(Double.init).withUnsafeBytes { append(contentsOf: $0) }
    }
}
