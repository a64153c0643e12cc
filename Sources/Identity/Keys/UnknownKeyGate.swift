package import Base

/// Keeps made-up keys from becoming as many look-ups: those that find nobody are bounded for the process, and for
/// each address, so that one attacker does not use up what everybody has. A look-up that finds somebody is free.
package final class UnknownKeyGate: Sendable {
    /// Look-ups that find nobody, in a second.
    package static let missesPerSecond = 200
    package static let missesPerSecondOfAddress = 50
    private static let addressCapacity = 10_000

    private struct State {
        var process: TokenBucket
        var addresses = ClockTable<Origin, TokenBucket>(capacity: UnknownKeyGate.addressCapacity)
    }

    private let time: TimeSource
    private let state: Locked<State>

    package init(time: TimeSource = .live) {
        self.time = time
        state = Locked(State(process: TokenBucket(perSecond: Self.missesPerSecond, at: time.instant())))
    }

    /// Who asks: an IPv4 address, or the network of an IPv6 address, since whoever has one address of a /64 has all.
    private struct Origin: Hashable {
        let isVersion4: Bool
        let network: UInt64

        init(_ address: IPAddress) {
            isVersion4 = address.isVersion4
            network = address.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    /// Lets a look-up through that may find nobody, or says for how long not to ask. Give the permission back (`leave`)
    /// unless nobody was found. Without an address only the bound of the process counts.
    func enter(from address: IPAddress?) -> Duration? {
        let now = time.instant()
        let origin = address.map(Origin.init)
        return state.withLock { state in
            if let origin {
                var bucket =
                    state.addresses.value(for: origin)
                    ?? TokenBucket(perSecond: Self.missesPerSecondOfAddress, at: now)
                let wait = bucket.take(at: now)
                state.addresses.set(bucket, for: origin)
                if let wait { return wait }
            }
            guard let wait = state.process.take(at: now) else { return nil }
            giveBack(origin, &state)
            return wait
        }
    }

    /// The look-up found somebody, or did not come about.
    func leave(_ address: IPAddress?) {
        let origin = address.map(Origin.init)
        state.withLock { state in
            state.process.giveBack()
            giveBack(origin, &state)
        }
    }

    private func giveBack(_ origin: Origin?, _ state: inout State) {
        guard let origin, var bucket = state.addresses.value(for: origin) else { return }
        bucket.giveBack()
        state.addresses.set(bucket, for: origin)
    }
}
