package import Base
package import Loop

/// A connected, non-blocking socket. Registered once for everything, by change, so that a request costs no
/// `epoll_ctl`.
// Confined to its loop.
package final class SocketTransport: Transport, @unchecked Sendable {
    private let loop: EventLoop
    private var descriptor: Int32
    private var registration: Registration?

    /// Takes over `descriptor`.
    package init(_ descriptor: Int32, on loop: EventLoop) {
        self.descriptor = descriptor
        self.loop = loop
    }

    deinit { close() }

    package func start(_ handler: @escaping (Readiness) -> Void) throws(SystemError) {
        registration = try loop.register(descriptor, [.read, .write, .peerClosed, .edgeTriggered], handler)
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) -> Socket.Outcome {
        descriptor < 0 ? .end : Socket.read(descriptor, into: buffer)
    }

    package func write(_ bytes: UnsafeRawBufferPointer, more: Bool) -> Socket.Outcome {
        descriptor < 0 ? .end : Socket.write(descriptor, bytes, more: more)
    }

    package func shutdownWrite() {
        if descriptor >= 0 { Socket.shutdownWrite(descriptor) }
    }

    package func close() {
        guard let open = takeDescriptor() else { return }
        Socket.close(open)
    }

    package func reset() {
        guard let open = takeDescriptor() else { return }
        Socket.reset(open)
    }

    private func takeDescriptor() -> Int32? {
        if let registration { loop.deregister(registration) }
        registration = nil
        guard descriptor >= 0 else { return nil }
        defer { descriptor = -1 }
        return descriptor
    }
}
