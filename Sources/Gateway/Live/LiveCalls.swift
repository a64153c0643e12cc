import Base

/// Who watches calls as they come into the books, of all loops of a process; and which organizations are watched anywhere.
package final class LiveCalls: Sendable {
    /// Who may watch an organization's calls in one process.
    static let mostWatchers = 16
    /// Calls that wait for one who watches; more are lost to them, and they are told.
    static let mostWaiting = 1000
    /// How long the word holds that an organization is watched.
    static let lease = Duration.seconds(30)

    private let state = Locked<State>(State())

    private struct State {
        var inboxes: [UUID: [UUID: Inbox]] = [:]
        /// Until when each is watched, by somebody in some process.
        var watched: [UUID: Instant] = [:]
        var tell: (@Sendable (UUID) -> Void)?
    }

    /// What waits for one who watches.
    struct Inbox {
        var calls: [UUID] = []
        /// How many there was no room for.
        var lost = 0
        /// Whether others may have been lost, nobody knows how many.
        var mayHaveLost = false
    }

    package init() {}

    /// Calls `tell` when an organization is watched that was not.
    func connect(_ tell: (@Sendable (UUID) -> Void)?) { state.withLock { $0.tell = tell } }

    // MARK: Who watches

    /// Watches for as long as it is held; nil where as many do as may.
    func watch(_ organization: UUID) -> Watch? {
        let name = UUID.make()
        let (isAdmitted, tell) = state.withLock { state -> (Bool, (@Sendable (UUID) -> Void)?) in
            guard state.inboxes[organization]?.count ?? 0 < Self.mostWatchers else { return (false, nil) }
            state.inboxes[organization, default: [:]][name] = Inbox()
            return (true, state.tell)
        }
        guard isAdmitted else { return nil }
        tell?(organization)
        return Watch(name, of: organization, in: self)
    }

    /// The organizations that are watched in this process.
    var organizations: [UUID] { state.withLock { Array($0.inboxes.keys) } }

    final class Watch: Sendable {
        private let name: UUID
        private let organization: UUID
        private let calls: LiveCalls

        fileprivate init(_ name: UUID, of organization: UUID, in calls: LiveCalls) {
            self.name = name
            self.organization = organization
            self.calls = calls
        }

        /// What has come since the last time.
        func take() -> Inbox { calls.take(name, organization) }

        deinit { calls.end(name, organization) }
    }

    private func take(_ name: UUID, _ organization: UUID) -> Inbox {
        state.withLock { state in
            guard let inbox = state.inboxes[organization]?[name] else { return Inbox() }
            state.inboxes[organization]?[name] = Inbox()
            return inbox
        }
    }

    private func end(_ name: UUID, _ organization: UUID) {
        state.withLock { state in
            state.inboxes[organization]?[name] = nil
            if state.inboxes[organization]?.isEmpty ?? false { state.inboxes[organization] = nil }
        }
    }

    // MARK: What is heard

    /// Somebody watches an organization.
    func heard(ofWatcherOf organization: UUID, at now: Instant) {
        state.withLock { state in
            state.watched = state.watched.filter { $0.value > now }
            state.watched[organization] = now + Self.lease
        }
    }

    /// Of some organizations those that somebody watches.
    func watched(among organizations: some Sequence<UUID>, at now: Instant) -> Set<UUID> {
        state.withLock { state in
            if state.watched.isEmpty { return [] }
            return Set(organizations.filter { state.watched[$0].map { $0 > now } ?? false })
        }
    }

    /// Calls of an organization are in the books.
    func heard(of calls: [UUID], of organization: UUID) {
        change(organization) { inbox in
            let room = max(0, Self.mostWaiting - inbox.calls.count)
            inbox.calls += calls.prefix(room)
            inbox.lost += max(0, calls.count - room)
        }
    }

    /// Nobody knows what was said in the meantime.
    func interrupted() {
        for organization in organizations { change(organization) { $0.mayHaveLost = true } }
    }

    private func change(_ organization: UUID, _ body: (inout Inbox) -> Void) {
        state.withLock { state in
            for name in (state.inboxes[organization] ?? [:]).keys {
                body(&state.inboxes[organization, default: [:]][name, default: Inbox()])
            }
        }
    }
}
