/// Which server is at which address, by what each round of looking has shown.
package struct ModelServerWatch {
    /// Rounds in a row in which a server is not seen before it is gone: a busy one may answer late.
    package static let patience = 3

    package struct Place: Equatable, Sendable {
        package let address: ModelServerAddress
        package let server: ModelServer

        package init(_ server: ModelServer, at address: ModelServerAddress) {
            self.server = server
            self.address = address
        }
    }

    package enum Change: Equatable, Sendable {
        case found(Place)
        case gone(Place)
    }

    package let addresses: [ModelServerAddress]
    private var known: [ModelServerAddress: (place: Place, misses: Int)] = [:]

    package init(_ addresses: [ModelServerAddress]) { self.addresses = addresses }

    /// Takes in a round: who was seen where.
    package mutating func note(_ seen: [ModelServerAddress: ModelServer]) -> [Change] {
        var changes: [Change] = []
        for address in addresses {
            let old = known[address]
            guard let server = seen[address] else {
                guard let old else { continue }
                known[address]?.misses += 1
                if old.misses + 1 >= Self.patience {
                    known[address] = nil
                    changes.append(.gone(old.place))
                }
                continue
            }
            if let old, old.place.server != server { changes.append(.gone(old.place)) }
            let place = Place(server, at: address)
            if old?.place != place { changes.append(.found(place)) }
            known[address] = (place, 0)
        }
        return changes
    }

    /// How those that are there are reached.
    package var settings: [Upstream.Settings] {
        addresses.compactMap { known[$0]?.place }.compactMap { $0.server.settings(at: $0.address) }
    }
}
