package import Base

/// The names in Redis of what belongs to an organization.
///
/// The braces make all of a bucket's organizations lie in one slot of a cluster, with the journal that they share: one
/// function can touch all that one request needs.
package enum OrganizationKeys {
    /// What is counted, and what processes must know of each other: a hash. See `AdmissionLibrary`.
    package static func state(of organization: UUID) -> [UInt8] { name("o", of: organization) }

    /// The events of a bucket.
    package static func journal(of organization: UUID) -> [UInt8] {
        journal(ofBucket: UInt8(truncatingIfNeeded: organization.low))
    }

    package static func journal(ofBucket bucket: UInt8) -> [UInt8] {
        var name = start(ofBucket: bucket)
        name.append("j" as StaticString)
        return name
    }

    /// `hg:{07}:o:0199…`
    package static func name(_ kind: StaticString, of organization: UUID) -> [UInt8] {
        var name = start(ofBucket: UInt8(truncatingIfNeeded: organization.low))
        name.append(kind)
        name.append(0x3A)
        organization.append(to: &name)
        return name
    }

    /// `hg:{07}:`, one of 256.
    private static func start(ofBucket bucket: UInt8) -> [UInt8] {
        var name: [UInt8] = []
        name.reserveCapacity(56)
        name.append("hg:{" as StaticString)
        name.append(hex: bucket)
        name.append("}:" as StaticString)
        return name
    }

    /// What nobody has touched for so long goes.
    package static let lifetimeSeconds = 8 * 86_400
}
