package import Base
import Redis

/// How much of its limits a subject has used.
package struct SubjectUse: Sendable {
    private let state: WindowState
    private let underway: Int
    private let now: Int64
    private let month: Month?

    init(_ state: WindowState, underway: Int, at now: Int64, in month: Month?) {
        self.state = state.rolled(to: now, month: month?.index ?? 0)
        self.underway = underway
        self.now = now
        self.month = month
    }

    package func used(_ kind: LimitKind) -> Int {
        switch kind {
        case .window(let name): Int(state.used(name.quantity, name.span, at: now))
        case .underway: underway
        }
    }

    /// How long it takes until nothing is used any more, if nothing comes; nil where nothing is, or nobody knows.
    package func reset(_ kind: LimitKind) -> Duration? {
        guard case .window(let name) = kind, used(kind) > 0 else { return nil }
        let clear = state.clearAt(name.quantity, name.span, at: now, endOfMonth: month?.end ?? now)
        return .milliseconds(clear - now)
    }
}

extension Gatekeeper {
    /// How much the subjects have used, in their order; nil where it cannot be known now.
    package func use(
        of subjects: [Subject.Name], in organization: UUID, calendar: Calendar?
    ) async -> [SubjectUse]? {
        if subjects.isEmpty { return [] }
        guard mayAsk else { return nil }
        let place = Place.organization(organization)
        var command = RedisCommand("HMGET")
        command.add(place.key)
        for name in subjects {
            command.add(name.field)
            command.add(Subject.slotsField(of: name))
        }
        guard
            let answers = try? await redis.pipeline(
                [RedisCommand("TIME"), command], timeout: bounds.patience),
            let now = Self.milliseconds(answers[0]), let values = answers[1].array,
            values.count == 2 * subjects.count
        else { return nil }
        clock.learn(now, at: time.instant())
        let month = calendar?.month(at: now)
        let states = values.indices.filter { $0.isMultiple(of: 2) }.map {
            WindowState(values[$0]) ?? WindowState()
        }
        guard let filled = await fill(states, of: subjects, in: organization, month) else { return nil }
        return filled.indices.map { index in
            SubjectUse(
                filled[index], underway: Self.underway(values[2 * index + 1], at: now), at: now, in: month)
        }
    }

    /// Of a month of which Redis does not know what came before, the database does.
    private func fill(
        _ states: [WindowState], of subjects: [Subject.Name], in organization: UUID, _ month: Month?
    ) async -> [WindowState]? {
        guard let month, let quotas, states.contains(where: { $0.month == 0 }) else { return states }
        guard let uses = try? await quotas(organization, subjects, month.index) else { return nil }
        return zip(states, subjects).map { state, name in
            guard state.month == 0, let use = uses.first(where: { $0.subject == name.text }) else {
                return state
            }
            var state = state
            state.month = month.index
            state[.requests, .month] = use.requests
            state[.tokens, .month] = use.tokens
            return state
        }
    }

    /// What `TIME` says.
    private static func milliseconds(_ value: RedisValue) -> Int64? {
        let numbers = value.array?.compactMap { $0.string.flatMap { Int64($0) } } ?? []
        return numbers.count == 2 ? numbers[0] * 1000 + numbers[1] / 1000 : nil
    }

    /// How many requests a list of them has that somebody still speaks for: who, how many, until when.
    private static func underway(_ value: RedisValue, at now: Int64) -> Int {
        guard let bytes = value.bytes, bytes.count.isMultiple(of: 24) else { return 0 }
        return bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 24).reduce(0) { count, place in
                bytes.double(at: place + 16) > Double(now) ? count + Int(bytes.double(at: place + 8)) : count
            }
        }
    }
}
