import Base
import CLinux
import Glibc

/// Makes the thread that it is made on one that others hardly notice, however much it has to do.
///
/// The lowest priority alone does not do that. Linux owes every thread a little time, more so after a sleep, and where it
/// pays, others wait on that processor to the end of a tick: up to 4 ms, even while another processor is idle. So a timer
/// interrupts the work and yields, which gives up what is owed. And since whoever wakes up is sent to a processor that
/// seems idle, though it may be the busier one, the thread rests after each piece of work.
package final class CourteousThread {
    private static let niceness: Int32 = 19
    /// About as long as others wait at most.
    private static let interval = Duration.microseconds(250)
    /// Where the processors never rest, who keeps giving way never ends. Work that has lasted this long gives way no more.
    private static let patience = Duration.milliseconds(100)
    /// A rest, in units of the work before it: a thread works a third of the time at most.
    private static let restRatio = 2
    private static let longestRest = Duration.milliseconds(100)
    /// Of no other use here.
    private static let signal = SIGURG

    /// Until when the work at hand gives way. The signal's handler, which runs on this thread, reads it.
    private let impatientFrom = UnsafeMutablePointer<Instant>.allocate(capacity: 1)
    private let timer: Int32

    /// None of it takes privileges; what a sandbox forbids is done without.
    package init() {
        setpriority(PRIO_PROCESS, id_t(gettid()), Self.niceness)
        var parameters = sched_param()
        sched_setscheduler(0, SCHED_BATCH, &parameters)
        impatientFrom.initialize(to: .now())
        Self.yieldOnSignal
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, Self.signal)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        timer = linux_make_thread_timer(Self.signal, impatientFrom)
    }

    deinit {
        if timer >= 0 { linux_delete_thread_timer(timer) }
        impatientFrom.deallocate()
    }

    package func work(_ body: () -> Void) {
        let start = Instant.now()
        impatientFrom.pointee = start + Self.patience
        interrupt(every: Self.interval)
        body()
        interrupt(every: .zero)
        let rest = min((Instant.now() - start) * Self.restRatio, Self.longestRest)
        var time = timespec(tv_sec: 0, tv_nsec: Int(rest.nanoseconds))
        nanosleep(&time, nil)
    }

    private func interrupt(every interval: Duration) {
        if timer >= 0 { linux_fire_thread_timer(timer, Int(interval.nanoseconds)) }
    }

    /// The process's answer to the signal. It does what a handler may: it reads memory and the clock, and yields.
    private static let yieldOnSignal: Void = {
        var action = sigaction()
        action.__sigaction_handler.sa_sigaction = { _, info, _ in
            // Anybody may send it.
            guard let info = info?.pointee, info.si_code == SI_TIMER,
                let impatientFrom = info._sifields._timer.si_sigval.sival_ptr
            else { return }
            if Instant.now() < impatientFrom.assumingMemoryBound(to: Instant.self).pointee { sched_yield() }
        }
        action.sa_flags = SA_SIGINFO | SA_RESTART
        sigaction(signal, &action, nil)
    }()
}
