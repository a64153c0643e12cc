import Base
import Glibc
import HTTPWire
import Loop

/// Accepts connections for one loop.
// Confined to its loop.
final class Listener: @unchecked Sendable {
    /// Accepted in one go, so that a burst of new clients does not hold up those that are served.
    private static let acceptsPerEvent = 64
    /// How long to wait when there is not even a reserve descriptor left.
    private static let pause = Duration.milliseconds(100)

    private let shared: ServerLoop
    private let descriptor: Int32
    private var registration: Registration?
    /// Given up for a moment when descriptors run out, so that the waiting client can be turned away instead
    /// of being reported to us for ever.
    private var reserve: Int32

    private var source: AcceptSource { shared.configuration.acceptSource }

    /// Takes over `descriptor`.
    init(_ descriptor: Int32, on shared: ServerLoop) {
        self.descriptor = descriptor
        self.shared = shared
        reserve = shared.configuration.acceptSource.openReserve()
    }

    func start() throws(SystemError) {
        registration = try shared.loop.register(descriptor, .read) { [weak self] _ in self?.accept() }
    }

    func close() {
        guard let registration else { return }
        self.registration = nil
        shared.loop.deregister(registration)
        Glibc.close(descriptor)
        if reserve >= 0 { Glibc.close(reserve) }
        reserve = -1
    }

    private func accept() {
        for _ in 0..<Self.acceptsPerEvent {
            do throws(SystemError) {
                guard let (accepted, peer) = try source.accept(descriptor) else { return }
                serve(accepted, peer)
            } catch {
                shared.configuration.onFailure?(error)
                if error.code == EMFILE || error.code == ENFILE { turnOneAway() } else { rest() }
                return
            }
        }
    }

    private func serve(_ accepted: Int32, _ peer: IPAddress?) {
        let limits = shared.configuration.limits
        guard shared.connections.count < limits.connectionsPerLoop else {
            return Self.turnAway(accepted, 503, "The server has too many connections.")
        }
        guard shared.counter.enter(peer) else {
            return Self.turnAway(accepted, 429, "Your address has too many connections.")
        }
        Connection(SocketTransport(accepted, on: shared.loop), peer: peer, on: shared).start()
    }

    /// One attempt to say why: a client that is turned away must not cost more than that.
    private static func turnAway(_ accepted: Int32, _ status: Int, _ message: String) {
        let body = ProblemBody.bytes(code: "too_many_connections", message: message)
        var answer = Array("HTTP/1.1 \(status) \(HTTPStatus.reason(status))\r\n".utf8)
        answer.append(
            "Content-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n" as StaticString)
        answer.append("Content-Length: \(body.count)\r\n\r\n")
        answer.append(contentsOf: body)
        _ = answer.withUnsafeBytes { Socket.write(accepted, $0, more: false) }
        Socket.shutdownWrite(accepted)
        Socket.close(accepted)
    }

    private func turnOneAway() {
        guard reserve >= 0 else { return rest() }
        Glibc.close(reserve)
        reserve = -1
        if let (accepted, _) = try? source.accept(descriptor) {
            Self.turnAway(accepted, 503, "The server has too many connections.")
        }
        reserve = source.openReserve()
        if reserve < 0 { rest() }
    }

    /// Stops looking for a moment: the cause will not be gone in the next tick.
    private func rest() {
        guard let registration else { return }
        let resting: Registration = registration
        do throws(SystemError) {
            try shared.loop.update(resting, [])
        } catch {
            shared.configuration.onFailure?(error)
        }
        _ = shared.loop.schedule(at: shared.loop.now + Self.pause) { [weak self] in self?.resume(resting) }
    }

    private func resume(_ resting: Registration) {
        guard registration == resting else { return }
        if reserve < 0 { reserve = source.openReserve() }
        do throws(SystemError) {
            try shared.loop.update(resting, .read)
        } catch {
            shared.configuration.onFailure?(error)
        }
    }
}
