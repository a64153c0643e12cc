package import Base

/// A wallet or a budget that a request is paid from.
package struct MoneyLimit: Hashable, Sendable {
    package let id: UUID
    package let isWallet: Bool
    /// Whose it is.
    package let subject: LimitSubject

    package init(id: UUID, isWallet: Bool, subject: LimitSubject) {
        self.id = id
        self.isWallet = isWallet
        self.subject = subject
    }

    /// Its slice, among the fields of the organization.
    var field: [UInt8] { id.bytes(behind: "b") }
}

/// What a request may cost, and who pays for it.
package struct MoneyNeed: Sendable {
    /// Those that hold now, each once. Where there are none nothing is held.
    package var limits: [MoneyLimit]
    /// The worst case. Each limit must have so much.
    package var nanodollars: Int64

    package init(limits: [MoneyLimit], nanodollars: Int64) {
        self.limits = limits
        self.nanodollars = nanodollars
    }

    /// What costs more, four million dollars, fits nowhere: up to here sums are exact in the numbers of Lua.
    package static let largest: Int64 = 4_000_000_000_000_000
}

/// What is held for a request that was let in.
package struct HeldMoney: Sendable {
    package let limits: [MoneyLimit]
    /// Of each limit.
    package let nanodollars: Int64
    /// Its field in Redis.
    let hold: [UInt8]
    /// Of the request, where it has said so; see `HoldNote`.
    package let id: UUID?
    /// Where Redis was away: what the database has given for this request alone.
    var grants: [MoneyGrant]?

    /// Whether the database has given it for this request alone.
    package var isDirect: Bool { grants != nil }
    /// What the database has given for this request alone.
    package var grantIDs: [UUID] { (grants ?? []).map(\.id) }
}
