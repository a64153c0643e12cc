import Base
import Glibc
import Loop
import Synchronization

/// A thread of low priority that does one piece of work after the other.
///
/// It takes no lock that a loop takes: were it set aside while it holds one, a loop would wait for a thread that waits
/// for the processor. Work comes and goes by semaphores, which nobody holds.
// `work` is written by the queue's thread while this one rests, and read by this one while it works.
final class PasswordPoolThread: @unchecked Sendable {
    private enum Phase {
        static let resting = 0
        static let working = 1
        static let finished = 2
    }

    private let name: String
    private let begin = Semaphore()
    private let phase = Atomic<Int>(Phase.resting)
    private let whenFinished: @Sendable () -> Void
    private var work: (@Sendable () -> Void)?

    init(name: String, whenFinished: @escaping @Sendable () -> Void) {
        self.name = name
        self.whenFinished = whenFinished
        startThread { self.run() }
    }

    // MARK: For the queue's thread

    var isResting: Bool { phase.load(ordering: .acquiring) == Phase.resting }

    func start(_ work: @escaping @Sendable () -> Void) {
        self.work = work
        phase.store(Phase.working, ordering: .releasing)
        begin.signal()
    }

    /// Whether work has ended since it was asked last.
    func takeFinished() -> Bool {
        guard phase.load(ordering: .acquiring) == Phase.finished else { return false }
        work = nil
        phase.store(Phase.resting, ordering: .releasing)
        return true
    }

    /// Only while it rests.
    func end() { begin.signal() }

    // MARK: On the thread

    private func run() {
        pthread_setname_np(pthread_self(), name)
        let courteous = CourteousThread()
        while true {
            begin.wait()
            guard phase.load(ordering: .acquiring) == Phase.working else { return }
            courteous.work {
                work?()
                phase.store(Phase.finished, ordering: .releasing)
                whenFinished()
            }
        }
    }
}

/// Starts a thread that nobody joins and that no signal reaches unless it asks for it.
func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    // A thread inherits the mask of the one that makes it.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Body(body)).toOpaque()
    let code = pthread_create(
        &thread, nil,
        { argument in
            if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
        }, argument)
    precondition(code == 0, "the system gives no thread: error \(code)")
    pthread_detach(thread)
}
