import Base
import Loop

/// The kept connections without TLS of one client.
// Confined to its loop.
final class PlainConnections: @unchecked Sendable {
    /// Whoever has been silent for longer has probably been forgotten on the way.
    private static let longestRest = Duration.seconds(118)

    let loop: EventLoop
    /// What is read goes through here, and is copied on.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    private var limit: Int
    /// The longest idle first.
    private var idle: [PlainConnection] = []

    init(on loop: EventLoop, limit: Int) {
        self.loop = loop
        self.limit = limit
    }

    deinit { scratch.deallocate() }

    /// Keeps none any more.
    func close() {
        limit = 0
        for connection in idle { connection.close() }
        idle = []
    }

    /// The last one used that leads to `origin`.
    func take(to origin: String, where isAllowed: ((IPAddress) -> Bool)?) -> PlainConnection? {
        while let place = idle.lastIndex(where: { $0.origin == origin }) {
            let connection = idle[place]
            if connection.idleSince + Self.longestRest < loop.now {
                // So are those before it.
                idle.remove(at: place)
                connection.close()
                continue
            }
            if let isAllowed, !(connection.peer.map(isAllowed) ?? false) { return nil }
            return idle.remove(at: place)
        }
        return nil
    }

    func keep(_ connection: PlainConnection) {
        idle.append(connection)
        if idle.count > limit { idle.removeFirst().close() }
    }

    func forget(_ connection: PlainConnection) {
        if let place = idle.lastIndex(where: { $0 === connection }) { idle.remove(at: place) }
    }
}
