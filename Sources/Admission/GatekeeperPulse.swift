import Base
import Loop
import Redis

/// What a gatekeeper does without anybody asking: it says that its loop lives, speaks for requests under way, and tells
/// Redis what it was not there to be told.
// Confined to its loop.
package final class GatekeeperPulse: @unchecked Sendable {
    package struct Intervals: Sendable {
        /// What Redis missed it is told after so long, when it is back.
        package var beat = Duration.milliseconds(500)
        package var workers = Duration.seconds(2)
        package var leases = Duration.seconds(10)

        package init() {}
    }

    private let gatekeeper: Gatekeeper
    private let intervals: Intervals
    private var timer: TimerToken?
    private var nextCount = Instant.now()
    private var nextRenewal: Instant
    private var nextWord = Instant.now()
    private var isCounting = false

    /// Starts at once. Call it on the loop; `close` it in the end, before Redis.
    package init(_ gatekeeper: Gatekeeper, _ intervals: Intervals = Intervals()) {
        self.gatekeeper = gatekeeper
        self.intervals = intervals
        nextRenewal = .now() + intervals.leases
        wait()
    }

    package func close() async {
        if let timer { gatekeeper.redis.loop.cancel(timer) }
        timer = nil
        gatekeeper.takeUpPostponed()
        gatekeeper.payDebts()
        await gatekeeper.treasury?.close()
        await gatekeeper.leaveWorkers()
    }

    private func wait() {
        timer = gatekeeper.redis.loop.schedule(at: .now() + intervals.beat) { [weak self] in
            guard let self else { return }
            wait()
            beat()
        }
    }

    private func beat() {
        gatekeeper.noteAlone(!gatekeeper.mayAsk)
        if let treasury = gatekeeper.treasury, treasury.hasBills {
            gatekeeper.redis.loop.spawn { await treasury.payBills() }
        }
        gatekeeper.takeUpPostponed()
        let now = Instant.now()
        if now >= nextWord {
            nextWord = now + intervals.workers
            gatekeeper.treasury?.speak(for: Int64(gatekeeper.identity))
        }
        guard gatekeeper.redis.isReady else { return }
        gatekeeper.payDebts()
        if now >= nextRenewal {
            nextRenewal = now + intervals.leases
            gatekeeper.renewLeases()
        }
        guard now >= nextCount, !isCounting else { return }
        nextCount = now + intervals.workers
        isCounting = true
        gatekeeper.redis.loop.spawn { [self] in
            await gatekeeper.countWorkers()
            isCounting = false
        }
    }
}
