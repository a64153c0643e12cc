import Base
import Glibc
import Loop

/// The wish to stop, from whoever runs the process. A second one is granted at once.
// Confined to its loop.
final class StopSignal: @unchecked Sendable {
    static let signals = [SIGTERM, SIGINT]

    private let arrived: Waiter
    private var source: SignalSource?
    private var isAsked = false

    /// The signals must be blocked in every thread. Call it on the loop.
    init(on loop: EventLoop) throws(SystemError) {
        arrived = Waiter(loop)
        source = try SignalSource(Self.signals, on: loop) { [weak self] _ in self?.ask() }
    }

    func wait() async {
        while !isAsked {
            // It has no deadline, and nobody cancels it.
            try? await arrived.wait()
        }
    }

    private func ask() {
        if isAsked { exit(ExitCode.failure.rawValue) }
        isAsked = true
        arrived.wake()
    }
}
