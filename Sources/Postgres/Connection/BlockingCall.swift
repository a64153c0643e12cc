import CPostgres
import Loop
import Synchronization

/// Calls that block and have no other form (`getaddrinfo`, `PQcancel`): each on a short-lived thread of its
/// own, so that the loop never waits for a name server or a hung database.
enum BlockingCall {
    /// A call may hang for minutes; beyond this many at once the caller goes without.
    static let limit = 16
    private static let stackSize = 256 * 1024
    private static let running = Atomic<Int>(0)

    /// Runs `work` elsewhere and hands its answer to `finish` on the loop. Says whether it was started.
    ///
    /// `owner` is kept until then and let go on the loop: it must not end on the other thread.
    static func start<Owner: AnyObject & Sendable, Answer: Sendable>(
        for owner: Owner, on loop: EventLoop, work: @escaping @Sendable () -> Answer,
        finish: @escaping @Sendable (Owner, Answer) -> Void
    ) -> Bool {
        guard running.add(1, ordering: .relaxed).newValue <= limit else {
            running.subtract(1, ordering: .relaxed)
            return false
        }
        let kept = Unmanaged.passRetained(owner)
        let body = Unmanaged.passRetained(
            Body {
                let answer = work()
                loop.execute { finish(kept.takeRetainedValue(), answer) }
            })
        guard postgres_start_detached_thread(runBody, body.toOpaque(), stackSize) == 0 else {
            body.release()
            kept.release()
            running.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    fileprivate static func ended() { running.subtract(1, ordering: .relaxed) }

    fileprivate final class Body: Sendable {
        let work: @Sendable () -> Void
        init(_ work: @escaping @Sendable () -> Void) { self.work = work }
    }
}

private func runBody(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<BlockingCall.Body>.fromOpaque(argument).takeRetainedValue().work()
    BlockingCall.ended()
    return nil
}
