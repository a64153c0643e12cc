package import Base
import Redis

/// What a loop remembers of a subject, for when Redis is away.
// Confined to its loop.
final class SubjectMemory: @unchecked Sendable {
    let place: Place
    let name: Subject.Name
    /// As Redis said last, and as this loop has counted on since.
    var state = WindowState()
    /// What was admitted here while Redis was away, and is not counted there yet.
    var debt = Debt()
    /// Requests under way that this loop has admitted, where their number is limited.
    var underway = 0
    /// Requests that Redis was asked about, and has not answered yet.
    var asked = 0
    /// Whether Redis may count requests under way that have ended, or were never admitted.
    var isDoubtful = false
    /// What Redis said last of the month, where that is limited, and what the database has been told.
    var month: Gatekeeper.MonthCount?
    var writtenMonth: Gatekeeper.MonthCount?
    /// Whether the month has gone on since it was last written down.
    var hasNewMonth = false

    struct Debt: Equatable {
        var requests: Int64 = 0
        var tokens: Int64 = 0
        var month: Int64 = 0
    }

    init(_ place: Place, _ name: Subject.Name) {
        self.place = place
        self.name = name
    }
}

/// Where the counts of a subject are.
package enum Place: Hashable, Sendable {
    case organization(UUID)
    case address(IPAddress)

    /// The hash in Redis.
    package var key: [UInt8] {
        switch self {
        case .organization(let organization): return OrganizationKeys.state(of: organization)
        case .address(let address):
            var key = Array("hg:{a:".utf8)
            key.append(address.description)
            key.append("}" as StaticString)
            return key
        }
    }
}

extension IPAddress {
    /// What one customer has: an address, or in IPv6 the first 64 bits of one.
    var customerNetwork: IPAddress {
        if isVersion4 { return self }
        return IPAddress(bytes: bytes.prefix(8) + [UInt8](repeating: 0, count: 8)) ?? self
    }
}
