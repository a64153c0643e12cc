package import Base
import CLinux
import Glibc
import Synchronization

/// One thread that waits on descriptors and timers and runs every task that prefers it.
///
/// Objects that belong to a loop are touched only on its thread. Whatever comes from elsewhere comes through
/// `execute` or by being a task of the loop.
// What other threads reach is behind a lock or atomic; the rest is confined to the loop's own thread.
package final class EventLoop: TaskExecutor, @unchecked Sendable {
    /// Rounds of ready work before the loop looks at its descriptors again, so that tasks which keep waking
    /// each other cannot starve the sockets.
    private static let roundsPerTick = 64
    private static let eventsPerTick = 256
    /// The loop ticks at least this often, so that its heartbeat shows that it lives.
    private static let longestPause = Duration.milliseconds(250)

    package let name: String
    private let poll: Int32
    private let wakeDescriptor: Int32

    private var ready: [UnownedJob] = []
    private var running: [UnownedJob] = []
    private var tickEnd: [() -> Void] = []
    private var runningTickEnd: [() -> Void] = []
    private var timers = TimerHeap()
    private var registrations = RegistrationTable()
    private var cachedNow = Instant(nanoseconds: 0)
    private var isStopping = false

    private struct Remote {
        var jobs: [UnownedJob] = []
        var work: [@Sendable () -> Void] = []
        var isWoken = false
    }
    private let remote = Locked(Remote())
    private let thread = Atomic<UInt>(0)
    private let lastTick = Atomic<UInt64>(0)

    package init(name: String = "loop") throws(SystemError) {
        self.name = name
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard poll >= 0 else { throw SystemError("epoll_create1") }
        wakeDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard wakeDescriptor >= 0 else {
            let failure = SystemError("eventfd")
            close(poll)
            throw failure
        }
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = .max
        guard epoll_ctl(poll, EPOLL_CTL_ADD, wakeDescriptor, &event) == 0 else {
            let failure = SystemError("epoll_ctl")
            close(wakeDescriptor)
            close(poll)
            throw failure
        }
        ready.reserveCapacity(256)
        running.reserveCapacity(256)
    }

    deinit {
        close(wakeDescriptor)
        close(poll)
    }

    // MARK: Work

    /// Whether the caller is on this loop's thread.
    package var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// The monotonic time, read once a tick.
    package var now: Instant { cachedNow }

    /// When the loop last began a tick; `nil` before its first. Any thread may ask.
    package var heartbeat: Instant? {
        let nanoseconds = lastTick.load(ordering: .relaxed)
        return nanoseconds == 0 ? nil : Instant(nanoseconds: nanoseconds)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            ready.append(job)
        } else {
            handOver { $0.jobs.append(job) }
        }
    }

    /// Runs `work` on the loop: soon, and after what was handed over before it. Any thread may call.
    package func execute(_ work: @escaping @Sendable () -> Void) {
        handOver { $0.work.append(work) }
    }

    /// Starts a task on the loop.
    @discardableResult
    package func spawn(_ operation: sending @escaping () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: self, operation: operation)
    }

    /// Runs `work` once, after all ready tasks of this tick and before the loop waits again. Buffers are
    /// flushed here: one write a tick, however many tasks added to them.
    package func atTickEnd(_ work: @escaping () -> Void) {
        tickEnd.append(work)
    }

    private func handOver(_ change: (inout Remote) -> Void) {
        let mustWake = remote.withLock { state in
            change(&state)
            defer { state.isWoken = true }
            return !state.isWoken
        }
        guard mustWake else { return }
        var one: UInt64 = 1
        // The counter cannot overflow: it is written once per wake and read before the next.
        _ = write(wakeDescriptor, &one, 8)
    }

    // MARK: Timers

    /// Runs `work` on the loop once `deadline` has come. Call it on the loop.
    package func schedule(at deadline: Instant, _ work: @escaping () -> Void) -> TimerToken {
        timers.schedule(at: deadline, work)
    }

    package func cancel(_ token: TimerToken) {
        timers.cancel(token)
    }

    // MARK: Descriptors

    /// Reports `interest` in `descriptor` to `handler` until `deregister`. Call it on the loop.
    package func register(
        _ descriptor: Int32, _ interest: Interest, _ handler: @escaping (Readiness) -> Void
    ) throws(SystemError) -> Registration {
        let registration = registrations.insert(descriptor, handler)
        do throws(SystemError) {
            try control(EPOLL_CTL_ADD, descriptor, interest, registration)
        } catch {
            _ = registrations.remove(registration)
            throw error
        }
        return registration
    }

    package func update(_ registration: Registration, _ interest: Interest) throws(SystemError) {
        guard let descriptor = registrations.descriptor(of: registration) else { return }
        try control(EPOLL_CTL_MOD, descriptor, interest, registration)
    }

    /// Call it before the descriptor is closed. A second call does nothing.
    package func deregister(_ registration: Registration) {
        guard let descriptor = registrations.remove(registration) else { return }
        // The kernel forgets a closed descriptor by itself; a failure here has nothing left to undo.
        _ = epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, nil)
    }

    private func control(
        _ operation: Int32, _ descriptor: Int32, _ interest: Interest, _ registration: Registration
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = registration.tag
        guard epoll_ctl(poll, operation, descriptor, &event) == 0 else { throw SystemError("epoll_ctl") }
    }

    // MARK: Running

    /// Runs on the calling thread until `stop`.
    package func run() {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        linux_name_thread(name)
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: Self.eventsPerTick)
        defer {
            events.deallocate()
            thread.store(0, ordering: .relaxed)
        }
        beginTick()
        takeRemote()
        while !isStopping {
            runReady()
            waitForEvents(events)
            fireTimers()
        }
    }

    /// Ends `run` after the current tick. Any thread may call.
    package func stop() {
        execute { self.isStopping = true }
    }

    private func beginTick() {
        cachedNow = .now()
        lastTick.store(cachedNow.nanoseconds, ordering: .relaxed)
    }

    /// Runs ready tasks until none is left, then what waits for the end of the tick, and again while that woke
    /// more. What is left after the last round goes on in the next tick.
    private func runReady() {
        for _ in 0..<Self.roundsPerTick {
            if ready.isEmpty {
                if tickEnd.isEmpty { return }
                runTickEnd()
            } else {
                runReadyOnce()
            }
        }
        runTickEnd()
    }

    private func runReadyOnce() {
        let executor = asUnownedTaskExecutor()
        swap(&ready, &running)
        for job in running { job.runSynchronously(on: executor) }
        running.removeAll(keepingCapacity: true)
    }

    private func runTickEnd() {
        swap(&tickEnd, &runningTickEnd)
        for work in runningTickEnd { work() }
        runningTickEnd.removeAll(keepingCapacity: true)
    }

    private func waitForEvents(_ events: UnsafeMutablePointer<epoll_event>) {
        let pause = pauseMilliseconds()
        let count = epoll_wait(poll, events, Int32(Self.eventsPerTick), pause)
        beginTick()
        // EINTR is the only failure a valid descriptor can give; the next tick asks again.
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            let event = events[index]
            if event.data.u64 == .max {
                takeRemote()
            } else if let handler = registrations.handler(tag: event.data.u64) {
                handler(Readiness(rawValue: event.events))
            }
        }
    }

    /// Whole milliseconds until something is due, rounded up: a timer never fires early.
    private func pauseMilliseconds() -> Int32 {
        if !ready.isEmpty || !tickEnd.isEmpty { return 0 }
        let longest = Self.longestPause.nanoseconds
        let due = timers.earliest
        guard due != .never else { return Int32(longest / 1_000_000) }
        let now = Instant.now()
        guard due > now else { return 0 }
        return Int32((min(Int64(due.nanoseconds - now.nanoseconds), longest) + 999_999) / 1_000_000)
    }

    private func fireTimers() {
        // A timer that sets another for "now" gets it in the next tick, not in an endless loop.
        for _ in 0..<timers.count {
            guard let work = timers.popDue(at: cachedNow) else { return }
            work()
        }
    }

    private func takeRemote() {
        var counter: UInt64 = 0
        _ = read(wakeDescriptor, &counter, 8)
        let taken = remote.withLock { state in
            defer { state = Remote() }
            return state
        }
        ready.append(contentsOf: taken.jobs)
        for work in taken.work { work() }
    }
}
