package import Base
import CLinux
import Glibc

/// Delivers signals as events of a loop.
///
/// Block them in the first thread before any other is started (`SignalSource.block`): threads inherit the mask,
/// and only blocked signals reach a `signalfd`.
// Confined to its loop.
package final class SignalSource: @unchecked Sendable {
    private let loop: EventLoop
    private let descriptor: Int32
    private var registration: Registration?

    /// Keeps `signals` from interrupting the process; a `SignalSource` picks them up.
    package static func block(_ signals: [Int32]) {
        var set = signalSet(signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Call it on the loop.
    package init(_ signals: [Int32], on loop: EventLoop, _ handler: @escaping (Int32) -> Void)
        throws(SystemError)
    {
        self.loop = loop
        var set = Self.signalSet(signals)
        let descriptor = signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError("signalfd") }
        self.descriptor = descriptor
        do throws(SystemError) {
            registration = try loop.register(descriptor, .read) { _ in
                while let signal = Self.next(descriptor) { handler(signal) }
            }
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Call it on the loop.
    package func cancel() {
        guard let registration else { return }
        self.registration = nil
        loop.deregister(registration)
        close(descriptor)
    }

    private static func next(_ descriptor: Int32) -> Int32? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        return read(descriptor, &info, size) == size ? Int32(info.ssi_signo) : nil
    }

    private static func signalSet(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        return set
    }
}
