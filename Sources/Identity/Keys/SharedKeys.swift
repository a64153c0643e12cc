package import Base

/// What the loops of a process have in common about keys.
package final class SharedKeys: Sendable {
    package let memory: KeyMemory
    package let gate: UnknownKeyGate
    package let uses: KeyUses
    let pending = PendingAnnouncements()

    package init(
        memory: KeyMemory = KeyMemory(), gate: UnknownKeyGate = UnknownKeyGate(), uses: KeyUses = KeyUses()
    ) {
        self.memory = memory
        self.gate = gate
        self.uses = uses
    }

    /// How much of it there is.
    package func register(in metrics: Metrics) {
        metrics.gauge("hivegate_known_keys", "API keys in memory whose caller is known.") {
            Double(self.memory.knownCount)
        }
        metrics.gauge("hivegate_unknown_keys", "API keys in memory that were nobody's.") {
            Double(self.memory.nobodyCount)
        }
        metrics.gauge(
            "hivegate_key_changes_pending", "Changes of API keys that Redis is still to be told of."
        ) {
            Double(self.pending.count)
        }
    }
}
