package import Base

/// Takes turns among the keys of an account: those that are refused are left alone, those that are limited rest.
package struct KeyRotation: Equatable, Sendable {
    /// A key that was refused is tried again after this: accounts are mended.
    package static let retirement = Duration.seconds(15 * 60)

    private var restUntil: [Instant]
    private var next = 0

    package init(keyCount: Int) {
        precondition(keyCount > 0)
        restUntil = Array(repeating: Instant(nanoseconds: 0), count: keyCount)
    }

    package enum Choice: Equatable, Sendable {
        case key(Int)
        /// All rest; the first comes back then.
        case resting(until: Instant)
    }

    package mutating func choose(at now: Instant) -> Choice {
        for offset in 0..<restUntil.count {
            let key = (next + offset) % restUntil.count
            guard restUntil[key] <= now else { continue }
            next = (key + 1) % restUntil.count
            return .key(key)
        }
        return .resting(until: restUntil.min() ?? now)
    }

    package mutating func rest(_ key: Int, until: Instant) {
        restUntil[key] = max(restUntil[key], until)
    }

    /// Leaves a key alone that was refused. The last one that is left is kept: nothing is lost by asking, and an account
    /// that was mended is noticed.
    package mutating func retire(_ key: Int, at now: Instant) {
        if restUntil.indices.contains(where: { $0 != key && restUntil[$0] <= now }) {
            rest(key, until: now + Self.retirement)
        }
    }

    /// Keys that can be used now.
    package func readyCount(at now: Instant) -> Int { restUntil.count { $0 <= now } }
    package var keyCount: Int { restUntil.count }
}
