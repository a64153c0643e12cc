import CLinux
import Glibc

extension Socket {
    /// What came of moving bytes.
    package enum Outcome: Equatable, Sendable {
        case bytes(Int)
        /// Nothing can be moved now.
        case wouldBlock
        /// The other side has sent all it will.
        case end
        /// The connection is broken; the errno.
        case failed(Int32)
    }

    /// Reads what has come, at most as much as fits into `buffer`, which is not empty.
    package static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(errno)
            }
        }
    }

    /// Writes what the socket takes of `bytes`. With `more`, what follows at once may leave in the same
    /// packet.
    package static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, more: Bool) -> Outcome {
        let flags = more ? withoutSignal | Int32(MSG_MORE) : withoutSignal
        while true {
            let count = send(descriptor, bytes.baseAddress, bytes.count, flags)
            if count >= 0 { return .bytes(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(errno)
            }
        }
    }

    /// Tells the other side that nothing more will be sent. Fails only where the connection is gone already.
    package static func shutdownWrite(_ descriptor: Int32) {
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Closes so that the other side gets an error, not an end.
    package static func reset(_ descriptor: Int32) {
        var setting = linger(l_onoff: 1, l_linger: 0)
        // Where it cannot be set, the close is an ordinary one: the connection ends either way.
        _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &setting, socklen_t(MemoryLayout<linger>.size))
        Glibc.close(descriptor)
    }

    package static func close(_ descriptor: Int32) { Glibc.close(descriptor) }

    private static let withoutSignal = Int32(MSG_NOSIGNAL)
}
