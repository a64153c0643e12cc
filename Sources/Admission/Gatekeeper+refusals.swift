import Base

/// Why not, and until when.
extension Gatekeeper {
    /// For the limit that takes longest to let the request pass: when that passes, all do.
    func refusal(
        _ request: AdmissionRequest, at now: Int64, in month: Month?, isLocal: Bool = false
    ) -> Refusal {
        var worst: (subject: Subject, limit: LimitName, value: Int, fit: Int64?)?
        for subject in request.subjects.windowed {
            let state = subject.memory.state.rolled(to: now, month: month?.index ?? 0)
            for name in LimitName.all {
                guard let limit = subject.limits[name.quantity, name.span] else { continue }
                let amount = name.quantity == .requests ? request.weight : request.tokens
                let share = isLocal ? amount * Int64(workerCount) : amount
                if state.takes(share, name.quantity, name.span, under: limit, at: now) { continue }
                var fit = state.firstFit(
                    share, name.quantity, name.span, under: limit, at: now,
                    endOfMonth: month?.end ?? now)
                // Too much for a share of the limit, but not for all of it, when Redis is back.
                if fit == nil, amount <= limit { fit = now + Self.untilRedis }
                if let known = worst, !Self.isLater(fit, than: known.fit) { continue }
                worst = (subject, name, limit, fit)
            }
        }
        guard let worst else { preconditionFailure("who is refused has reached a limit") }
        return Refusal(
            subject: worst.subject.name, limit: .window(worst.limit), value: worst.value,
            wait: worst.fit.map { .milliseconds($0 - now) },
            standing: Standing(of: request.subjects, at: now, in: month), isLocal: isLocal)
    }

    /// In milliseconds; nobody knows better.
    private static let untilRedis: Int64 = 1000

    /// Never is later than any time.
    private static func isLater(_ one: Int64?, than other: Int64?) -> Bool {
        guard let other else { return false }
        return one.map { $0 > other } ?? true
    }

    /// For requests that are under way: nobody knows when one of them ends.
    func refusal(
        _ subject: Subject, _ request: AdmissionRequest, at now: Int64, in month: Month?,
        isLocal: Bool = false
    ) -> Refusal {
        let limit = subject.limits.concurrent ?? 0
        return Refusal(
            subject: subject.name, limit: .underway, value: limit,
            wait: limit > 0 ? .seconds(1) : nil,
            standing: Standing(of: request.subjects, at: now, in: month), isLocal: isLocal)
    }
}
