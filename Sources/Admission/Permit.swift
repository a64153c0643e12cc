/// That a request may go on, and what was taken for it.
// Confined to its loop.
package final class Permit: @unchecked Sendable {
    package let subjects: SubjectList
    package let weight: Int64
    /// What is reserved.
    package let tokens: Int64
    /// In milliseconds of Redis's clock.
    let admittedAt: Int64
    let month: Month?
    /// What Redis says of the generation of the organization's keys.
    package let generation: Generation
    /// How often the organization's cache was purged before.
    package let purges: Int64
    /// Whether Redis was away, and this loop has decided by itself.
    package let isLocal: Bool
    /// What is held for it.
    package internal(set) var money: HeldMoney?
    var isSettled = false

    package enum Generation: Equatable, Sendable {
        case current
        /// Redis knows none, or a smaller one.
        case unknown
        /// Redis does not say.
        case unavailable
    }

    init(
        _ request: AdmissionRequest, at time: Int64, in month: Month?, _ generation: Generation,
        purges: Int64 = 0, isLocal: Bool = false
    ) {
        subjects = request.subjects
        weight = request.weight
        tokens = request.tokens
        admittedAt = time
        self.month = month
        self.generation = generation
        self.purges = purges
        self.isLocal = isLocal
        money = request.money.map {
            HeldMoney(
                limits: $0.limits, nanodollars: $0.nanodollars, hold: request.hold, id: request.note?.id)
        }
    }

    /// How the subjects stand, this request counted.
    package var standing: Standing { Standing(of: subjects, at: admittedAt, in: month) }
}

/// What a request was refused for.
package struct Refusal {
    package var subject: Subject.Name
    package var limit: LimitKind
    package var value: Int
    /// How long to wait until the same request would pass, if nothing comes before; nil: it never does.
    package var wait: Duration?
    package var standing: Standing
    package var isLocal = false

    /// Whether fewer tokens might pass.
    package var isOfTokens: Bool {
        if case .window(let name) = limit { name.quantity == .tokens } else { false }
    }
}
