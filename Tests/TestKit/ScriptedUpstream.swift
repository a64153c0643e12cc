import Base
import Glibc
package import Loop

/// A server that does on each connection exactly what a test says, byte by byte: for the faults that a real
/// server cannot be made to show.
// Confined to its loop.
package final class ScriptedUpstream: @unchecked Sendable {
    package private(set) var connectionCount = 0
    package let port: Int
    private let loop: EventLoop
    private let descriptor: Int32
    private var registration: Registration?
    private var tasks: [Task<Void, Never>] = []

    package var url: String { "http://127.0.0.1:\(port)" }

    /// Listens on a free port of the loopback. Call it on the loop.
    package init(on loop: EventLoop, _ script: @escaping @Sendable (Peer) async throws -> Void) throws {
        self.loop = loop
        guard let loopback = IPAddress("127.0.0.1") else { throw SystemError("inet_pton") }
        descriptor = try Socket.listen(host: loopback, port: 0)
        port = Socket.port(of: descriptor)
        registration = try loop.register(descriptor, .read) { [weak self] _ in self?.accept(script) }
    }

    private func accept(_ script: @escaping @Sendable (Peer) async throws -> Void) {
        while let client = try? Socket.accept(descriptor)?.descriptor {
            connectionCount += 1
            guard let peer = try? Peer(client, on: loop) else { continue }
            tasks.append(
                loop.spawn {
                    try? await script(peer)
                    peer.close()
                })
        }
    }

    /// Ends all connections and stops listening.
    package func close() {
        for task in tasks { task.cancel() }
        guard let registration else { return }
        self.registration = nil
        loop.deregister(registration)
        Glibc.close(descriptor)
    }

    /// The server's end of one connection.
    // Confined to its loop.
    package final class Peer: @unchecked Sendable {
        private let loop: EventLoop
        private let descriptor: Int32
        private let noSignal = Int32(MSG_NOSIGNAL)
        private var registration: Registration?
        private let changed: Waiter
        private var received: [UInt8] = []

        fileprivate init(_ descriptor: Int32, on loop: EventLoop) throws {
            self.loop = loop
            self.descriptor = descriptor
            changed = Waiter(loop)
            registration = try loop.register(descriptor, [.read, .write, .peerClosed, .edgeTriggered]) {
                [weak self] _ in self?.changed.wake()
            }
        }

        /// The next request's head, with its last empty line; `nil` when the client has gone.
        package func head() async throws -> String? {
            let end = Array("\r\n\r\n".utf8)
            while true {
                if let start = (0..<max(0, received.count - 3)).first(where: {
                    received[$0...].starts(with: end)
                }) {
                    return String(decoding: take(start + 4), as: UTF8.self)
                }
                guard try await fill() else { return nil }
            }
        }

        /// Exactly `count` bytes; `nil` when the client has gone before.
        package func read(_ count: Int) async throws -> [UInt8]? {
            while received.count < count { guard try await fill() else { return nil } }
            return take(count)
        }

        /// Returns once the client has closed its side, dropping what it sent.
        package func waitForClose() async throws {
            repeat { received = [] } while try await fill()
        }

        package func write(_ text: String) async throws { try await write(Array(text.utf8)) }

        package func write(_ bytes: [UInt8]) async throws {
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, noSignal) }
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    try await changed.wait()
                } else {
                    throw SystemError("send")
                }
            }
        }

        package func close() {
            guard let registration else { return }
            self.registration = nil
            loop.deregister(registration)
            Glibc.close(descriptor)
        }

        /// Closes with a reset instead of an orderly end.
        package func reset() {
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
            close()
        }

        private func take(_ count: Int) -> [UInt8] {
            defer { received.removeFirst(count) }
            return Array(received.prefix(count))
        }

        private func fill() async throws -> Bool {
            while true {
                var buffer = [UInt8](repeating: 0, count: 65_536)
                let count = recv(descriptor, &buffer, buffer.count, 0)
                if count > 0 {
                    received.append(contentsOf: buffer[..<count])
                    return true
                }
                if count == 0 || errno != EAGAIN { return false }
                try await changed.wait()
            }
        }
    }
}
