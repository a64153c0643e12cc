import Redis

/// All whose limits a request touches, made once for requests that are alike.
// Confined to its loop.
package final class SubjectList: @unchecked Sendable {
    let place: Place
    package let subjects: [Subject]
    /// Those with windows, in the order of the states that Redis answers.
    let windowed: [Subject]
    /// Those with a limit of requests under way.
    let slotted: [Subject]
    /// Whether tokens are limited anywhere.
    package let limitsTokens: Bool
    /// Whether a month is limited anywhere.
    let limitsMonth: Bool

    init(_ subjects: [Subject], at place: Place) {
        self.place = place
        self.subjects = subjects.filter { !$0.limits.isEmpty }
        windowed = self.subjects.filter { $0.windows != nil }
        slotted = self.subjects.filter { $0.limits.concurrent != nil }
        limitsTokens = windowed.contains { $0.limits.tokens != Limits.Windows() }
        limitsMonth = windowed.contains(where: \.limitsMonth)
    }

    package var isEmpty: Bool { subjects.isEmpty }

    /// Whether there is something to be told Redis when a request ends that has taken nothing.
    package var hearsOfEnds: Bool { limitsTokens || !slotted.isEmpty }

    // MARK: Words with Redis that are the same each time

    /// Where nothing is limited: all that is asked is how the organization stands.
    private(set) lazy var askingNothing: RedisArguments = {
        var command = RedisCommand("HMGET")
        command.add(place.key)
        command.add("g")
        command.add("x")
        return RedisArguments(command)
    }()

    /// What each asking begins with.
    private(set) lazy var asking: RedisArguments = {
        var command = RedisCommand(calling: AdmissionLibrary.admit, keyCount: 1)
        command.add(place.key)
        return RedisArguments(command)
    }()

    /// All limits, and whose they are.
    private(set) lazy var limits =
        windowed.flatMap { $0.windows ?? [] } + slotted.compactMap { $0.limits.concurrent.map(Double.init) }
    private(set) lazy var fields = RedisArguments(windowed.map(\.field) + slotted.map(\.slotsField))

    var lastAsking: LastAsking?

    /// What each settling begins with.
    private(set) lazy var settling: RedisArguments = {
        var command = RedisCommand(calling: AdmissionLibrary.settle, keyCount: 2)
        command.add(place.key)
        command.add(place.journal)
        return RedisArguments(command)
    }()
}
