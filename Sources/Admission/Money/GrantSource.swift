package import Base

/// Where money is given out to be spent: the database.
package protocol GrantSource: Sendable {
    /// Gives something for each wish, or nothing at all.
    func take(_ wishes: [MoneyWish], of organization: UUID) async throws -> GrantAnswer

    /// Ends grants that were for one request: what it did not cost is given back. Of one that there is not, or that has
    /// ended, nothing is heard; said twice it is done once.
    ///
    /// - Parameter costs: of each; what is missing is 0.
    func settle(_ grants: [MoneyGrant], at costs: [Int64], of organization: UUID) async throws

    /// Says that a loop lives for which there are grants of its own.
    func speak(for worker: Int64) async throws
}

/// What a limit has given out.
package struct MoneyGrant: Hashable, Sendable {
    package let id: UUID
    package let limit: UUID

    package init(id: UUID = .make(), of limit: UUID) {
        self.id = id
        self.limit = limit
    }
}

/// A grant that is wanted.
package struct MoneyWish: Sendable {
    /// Named by who wishes it: who has not heard what came of it can give it back.
    package let grant: MoneyGrant
    /// Less is of no use.
    package var least: Int64
    /// nil: exactly that.
    package var wanted: Int64?
    /// The loop that wants it for one request alone; nil: it goes into a slice.
    package var worker: Int64?
    /// What is to be known of that request should the loop die.
    package var note: HoldNote?

    package init(
        _ limit: UUID, least: Int64, wanted: Int64?, worker: Int64? = nil, note: HoldNote? = nil
    ) {
        grant = MoneyGrant(of: limit)
        self.note = note
        self.least = least
        self.wanted = wanted
        self.worker = worker
    }
}

package struct GrantAnswer: Equatable, Sendable {
    /// For each wish; nil: there is too little, so nothing was given.
    package var amounts: [Int64]?
    /// What each limit has beside that.
    package var rooms: [LimitRoom]

    package init(amounts: [Int64]?, rooms: [LimitRoom]) {
        self.amounts = amounts
        self.rooms = rooms
    }
}

/// A limit as the database has it.
package struct LimitRoom: Equatable, Sendable {
    package var cap: Int64
    /// Given out, and spent or not.
    package var granted: Int64
    /// What can still be granted.
    package var room: Int64
    /// Whether its time has not come or is over, or there is none.
    package var isOver: Bool
    /// Whether a grant may be on its way to Redis. Said only where there is too little.
    package var isFresh = false

    package init(cap: Int64, granted: Int64, room: Int64, isOver: Bool) {
        self.cap = cap
        self.granted = granted
        self.room = room
        self.isOver = isOver
    }

    static let none = LimitRoom(cap: 0, granted: 0, room: 0, isOver: true)
}
