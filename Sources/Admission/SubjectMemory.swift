package import Base

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

    /// The hash in Redis. The braces make all that belongs together lie in one slot of a cluster, with the journal of
    /// its bucket.
    package var key: [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(48)
        key.append("hg:{" as StaticString)
        switch self {
        case .organization(let organization):
            key.append(hex: CollectionOfOne(organization.bucket))
            key.append("}:o:" as StaticString)
            organization.append(to: &key)
        case .address(let address):
            let text = address.description
            key.append(hex: CollectionOfOne(Digest.sha256(text.utf8)[0]))
            key.append("}:a:" as StaticString)
            key.append(text)
        }
        return key
    }
}

extension UUID {
    /// One of 256 in which organizations lie in Redis.
    package var bucket: UInt8 { UInt8(truncatingIfNeeded: low) }
}
