import Base

/// What things are called in Redis. All of an organization lies in one of 256 buckets, and a bucket in one slot of a
/// cluster: by the last byte of the organization's id, which is random.
enum CacheNames {
    static let digestCount = 2 * CacheKey.length

    static func entry(_ key: CacheKey, of organization: UUID) -> [UInt8] {
        var name = name("}:c:", organization, room: digestCount + 1)
        name.append(0x3A)
        append(key, to: &name)
        return name
    }

    /// The same for a digest that is written already.
    static func entry(digest: some Collection<UInt8>, of organization: UUID) -> [UInt8] {
        var name = name("}:c:", organization, room: digestCount + 1)
        name.append(0x3A)
        name.append(contentsOf: digest)
        return name
    }

    /// A sorted set of all entries by the time at which they end, in milliseconds.
    static func index(of organization: UUID) -> [UInt8] { name("}:ci:", organization) }

    /// What stands for an entry in the index: its digest, and behind it the model's name.
    static func member(_ key: CacheKey, model: String) -> [UInt8] {
        var member: [UInt8] = []
        member.reserveCapacity(digestCount + model.utf8.count)
        append(key, to: &member)
        member.append(model)
        return member
    }

    /// A sorted set of the questions of a frame, each its key and its vector, by the time at which they end.
    static func questions(in frame: CacheKey, of organization: UUID) -> [UInt8] {
        var name = name("}:cv:", organization, room: digestCount + 1)
        name.append(0x3A)
        append(frame, to: &name)
        return name
    }

    /// A sorted set of all frames by the time at which they end.
    static func frames(of organization: UUID) -> [UInt8] { name("}:cf:", organization) }

    static func lease(_ key: CacheKey, of organization: UUID) -> [UInt8] {
        var name = name("}:cl:", organization, room: digestCount + 1)
        name.append(0x3A)
        append(key, to: &name)
        return name
    }

    /// The organization's hash. The field `x` is ours.
    static func organization(_ organization: UUID) -> [UInt8] { name("}:o:", organization) }

    /// What was counted on a day of UTC.
    static func counts(of organization: UUID, on day: CacheDay) -> [UInt8] {
        var name = name("}:cs:", organization, room: 9)
        name.append(0x3A)
        name.append(day.description)
        return name
    }

    private static func name(_ kind: StaticString, _ organization: UUID, room: Int = 0) -> [UInt8] {
        var name: [UInt8] = []
        name.reserveCapacity(48 + room)
        name.append("hg:{" as StaticString)
        name.append(hex: UInt8(truncatingIfNeeded: organization.low))
        name.append(kind)
        organization.append(to: &name)
        return name
    }

    private static func append(_ key: CacheKey, to text: inout [UInt8]) { text.append(hex: key.bytes) }
}
