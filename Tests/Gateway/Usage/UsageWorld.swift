import Base
import Chat
import Gateway
import JSON
import Metering
import Testing

extension ManagementWorld {
    /// Books calls of somebody, which end a minute after each other, the last now.
    ///
    /// - Parameter tells: whether those who watch are told.
    @discardableResult
    func use(
        _ person: Person, _ count: Int = 1, tells: Bool = true,
        _ change: (Int, inout UsageEvent) -> Void = { _, _ in }
    ) async throws -> [JournalEntry] {
        let now = Timestamp.now()
        let events = (0..<count).map { index in
            let moment = now + .seconds(60 * (index + 1 - count))
            var event = UsageEvent(
                id: .make(at: moment), requestID: "req_\(index)", organization: person.organization,
                user: person.user, key: person.user, endpoint: "createChatCompletion", model: "gpt-5",
                at: moment,
                attempts: [
                    UsageEvent.Attempt(
                        provider: "openai", model: "openai/gpt-5", started: moment,
                        latency: .milliseconds(500),
                        outcome: .answered, cost: 54_399_000
                    ) {
                        $0.usage = ChatUsage(input: 100, cacheRead: 20, output: 30)
                        ($0.commission, $0.charge) = (600, 54_399_600)
                    }
                ]
            ) { _ in }
            change(index, &event)
            return event
        }
        let entries = events.map(JournalEntry.init)
        let stored = try await UsageStore(pool).store(entries)
        if tells { liveChannel?.booked(entries) }
        #expect(stored == events.map { max(1, $0.attempts.count) }.reduce(0, +))
        return entries
    }
}

extension ManagementWorld.Answer {
    /// The elements of a list.
    func list(_ name: StaticString) -> [JSONValue] { json?[name].map { Array($0.elements) } ?? [] }
}
