package import Base
import Glibc
package import Loop

/// The server: a listener on each loop for each address, and the connections they accept.
package final class HTTPServer: Sendable {
    package enum Address: Equatable, Sendable {
        /// Port 0 takes a free one.
        case tcp(IPAddress, port: Int)
        case unix(String)
    }

    private let configuration: HTTPServerConfiguration
    private let counter: ConnectionCounter
    private let state = Locked(State())

    private struct State {
        var loops: [ServerLoop] = []
        var listeners: [(loop: EventLoop, listener: Listener)] = []
        var ports: [Int] = []
    }

    package init(_ configuration: HTTPServerConfiguration) {
        self.configuration = configuration
        counter = ConnectionCounter(
            limit: configuration.limits.connectionsPerAddress, isExempt: configuration.exemptAddresses)
    }

    /// The ports of the TCP addresses, in their order.
    package var ports: [Int] { state.withLock { $0.ports } }

    /// Listens on every address with every loop. Nothing listens any more when it throws.
    package func start(on loops: [EventLoop], addresses: [Address]) async throws(SystemError) {
        let shared = loops.map { ServerLoop($0, configuration, counter) }
        state.withLock { $0.loops = shared }
        do throws(SystemError) {
            for address in addresses {
                for (shared, descriptor) in zip(shared, try open(address, count: loops.count)) {
                    try await listen(descriptor, on: shared)
                }
            }
        } catch {
            await stopListening()
            throw error
        }
    }

    /// Serves a connection that did not come through a listener: one of a test, in memory. Call it on the
    /// loop.
    package func serve(_ transport: any Transport, on loop: EventLoop) {
        let shared = state.withLock { state in
            if let known = state.loops.first(where: { $0.loop === loop }) { return known }
            let made = ServerLoop(loop, configuration, counter)
            state.loops.append(made)
            return made
        }
        Connection(transport, peer: nil, on: shared).start()
    }

    private func listen(_ descriptor: Int32, on shared: ServerLoop) async throws(SystemError) {
        let failure = Locked<SystemError?>(nil)
        await shared.loop.spawn { [self] in
            let listener = Listener(descriptor, on: shared)
            do throws(SystemError) {
                try listener.start()
                state.withLock { $0.listeners.append((shared.loop, listener)) }
            } catch {
                Glibc.close(descriptor)
                failure.withLock { $0 = error }
            }
        }.value
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// One listening descriptor for each loop.
    private func open(_ address: Address, count: Int) throws(SystemError) -> [Int32] {
        var descriptors: [Int32] = []
        do throws(SystemError) {
            switch address {
            case .tcp(let host, var port):
                for _ in 0..<count {
                    descriptors.append(try Socket.listen(host: host, port: port, sharesPort: true))
                    port = Socket.port(of: descriptors[0])
                }
                state.withLock { $0.ports.append(port) }
            case .unix(let path):
                // The kernel spreads no connections over unix sockets: the loops share one.
                descriptors.append(try Socket.listen(path: path))
                for _ in 1..<max(1, count) {
                    let copy = fcntl(descriptors[0], F_DUPFD_CLOEXEC, 0)
                    guard copy >= 0 else { throw SystemError("dup") }
                    descriptors.append(copy)
                }
            }
        } catch {
            for descriptor in descriptors { Glibc.close(descriptor) }
            throw error
        }
        return descriptors
    }

    private func stopListening() async {
        let listeners = state.withLock { state in
            defer { state.listeners = [] }
            return state.listeners
        }
        for (loop, listener) in listeners { await loop.spawn { listener.close() }.value }
    }

    /// How many connections there are.
    package func connectionCount() async -> Int {
        var count = 0
        for shared in state.withLock({ $0.loops }) {
            let here = Locked(0)
            await shared.loop.spawn { here.withLock { $0 = shared.connections.count } }.value
            count += here.withLock { $0 }
        }
        return count
    }

    /// Stops accepting, closes what is idle, lets requests in flight finish until the deadline, then cancels
    /// them. Returns when no connection is left; true when none had to be cancelled.
    @discardableResult
    package func drain(within duration: Duration? = nil) async -> Bool {
        await stopListening()
        let deadline = Instant.now() + (duration ?? configuration.limits.drainDeadline)
        let grace = configuration.limits.drainGrace
        let tasks = state.withLock { $0.loops }.map { shared in
            let wasClean = Locked(true)
            let task = shared.loop.spawn {
                for connection in shared.connections.values { connection.drain() }
                if await shared.waitUntilEmpty(until: deadline) { return }
                wasClean.withLock { $0 = false }
                for connection in shared.connections.values { connection.cancel() }
                if await shared.waitUntilEmpty(until: .now() + grace) { return }
                for connection in shared.connections.values { connection.end(reset: true) }
            }
            return (task, wasClean)
        }
        var isClean = true
        for (task, wasClean) in tasks {
            await task.value
            isClean = wasClean.withLock { $0 } && isClean
        }
        return isClean
    }
}
