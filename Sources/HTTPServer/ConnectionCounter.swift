package import Base

/// Counts the connections of each address over all loops.
package final class ConnectionCounter: Sendable {
    private let counts = Locked<[IPAddress: Int]>([:])
    private let limit: Int
    private let isExempt: @Sendable (IPAddress) -> Bool

    package init(limit: Int, isExempt: @escaping @Sendable (IPAddress) -> Bool) {
        self.limit = limit
        self.isExempt = isExempt
    }

    /// Counts one more; false (and nothing counted) where the address has its fill.
    package func enter(_ address: IPAddress?) -> Bool {
        guard let address, !isExempt(address) else { return true }
        return counts.withLock { counts in
            let count = counts[address, default: 0]
            guard count < limit else { return false }
            counts[address] = count + 1
            return true
        }
    }

    package func leave(_ address: IPAddress?) {
        guard let address, !isExempt(address) else { return }
        counts.withLock { counts in
            let count = counts[address, default: 0]
            counts[address] = count > 1 ? count - 1 : nil
        }
    }
}
