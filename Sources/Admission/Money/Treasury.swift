import Base
import Loop

/// What a loop has to do with the database about money.
// Confined to its loop.
final class Treasury: @unchecked Sendable {
    private let source: any GrantSource
    private let bounds: Gatekeeper.Bounds
    private let time: TimeSource
    private let loop: EventLoop
    /// By the limits that are being asked for.
    private(set) var fundings: [UUID: Funding] = [:]
    /// What those need together who have found too little of a limit.
    private var hopes: [UUID: Int64] = [:]
    /// Grants of which the database was not there to be told that they have ended.
    private var bills: [Bill] = []
    private var isPaying = false
    private var pausedUntil = Instant(nanoseconds: 0)
    /// Until then the database is told that this loop lives: as long as it may have grants of its own.
    private var speaksUntil = Instant(nanoseconds: 0)
    private var isSpeaking = false

    /// One that asks for all who need the same.
    // Confined to its loop.
    final class Funding: @unchecked Sendable {
        fileprivate var seats: [Waiter] = []
        /// What the database has said, by limit; nil while it has not, or where it does not answer.
        fileprivate(set) var rooms: [UUID: LimitRoom]?
        fileprivate var isOver = false
    }

    struct Bill {
        var grants: [MoneyGrant]
        /// Of each grant; what is missing is 0.
        var costs: [Int64]
        var organization: UUID
    }

    init(_ source: any GrantSource, _ bounds: Gatekeeper.Bounds, _ time: TimeSource, on loop: EventLoop) {
        self.source = source
        self.bounds = bounds
        self.time = time
        self.loop = loop
    }

    // MARK: Taking

    /// Whether the database is asked at all: one that fails costs few requests.
    var mayAsk: Bool { time.instant() >= pausedUntil }

    /// All or nothing; nil where the database does not answer. What it may have given all the same is given back.
    func take(_ wishes: [MoneyWish], of organization: UUID) async -> GrantAnswer? {
        guard mayAsk else { return nil }
        if wishes.contains(where: { $0.worker != nil }) {
            speaksUntil = time.instant() + bounds.longestDirectGrant
        }
        do {
            return try await apart { [source] in try await source.take(wishes, of: organization) }
        } catch {
            pausedUntil = time.instant() + bounds.pauseAfterTimeout
            keep(Bill(grants: wishes.map(\.grant), costs: [], organization: organization))
            return nil
        }
    }

    /// Tells the database, where there are grants of this loop's own, that it lives.
    func speak(for worker: Int64) {
        guard !isSpeaking, mayAsk, time.instant() < speaksUntil else { return }
        isSpeaking = true
        loop.spawn { [self] in
            defer { isSpeaking = false }
            // Where it does not hear it now it does at the next beat.
            try? await apart { [source] in try await source.speak(for: worker) }
        }
    }

    // MARK: One at a time

    /// One that is under way for any of these.
    func funding(of limits: [MoneyLimit]) -> Funding? {
        for limit in limits { if let funding = fundings[limit.id] { return funding } }
        return nil
    }

    func begin(_ limits: [MoneyLimit]) -> Funding {
        let funding = Funding()
        for limit in limits { fundings[limit.id] = funding }
        return funding
    }

    func end(_ funding: Funding, _ limits: [MoneyLimit], _ answer: GrantAnswer?) {
        if let answer {
            funding.rooms = Dictionary(
                zip(limits.map(\.id), answer.rooms), uniquingKeysWith: { one, _ in one })
        }
        funding.isOver = true
        for limit in limits where fundings[limit.id] === funding { fundings[limit.id] = nil }
        for seat in funding.seats { seat.wake() }
        funding.seats = []
    }

    /// Says whether it ended; not where too many wait, or the task is cancelled.
    func wait(for funding: Funding) async -> Bool {
        guard funding.seats.count < bounds.fundingWaiters else { return false }
        let seat = Waiter(loop)
        funding.seats.append(seat)
        do throws(WaitFailure) {
            while !funding.isOver { try await seat.wait() }
            return true
        } catch {
            funding.seats.removeAll { $0 === seat }
            return false
        }
    }

    /// What all who hope for something of a limit need together.
    func hope(for limit: MoneyLimit) -> Int64 { hopes[limit.id] ?? 0 }

    func hope(for limits: [MoneyLimit], _ amount: Int64) {
        for limit in limits {
            let sum = hope(for: limit) + amount
            hopes[limit.id] = sum == 0 ? nil : sum
        }
    }

    // MARK: Ending

    /// Says that grants have ended; where the database does not hear it, it is told later. Calls `done` when one of the two
    /// is so.
    func settle(_ bill: Bill, then done: @escaping @Sendable () -> Void = {}) {
        if bill.grants.isEmpty { return done() }
        loop.spawn { [self] in
            do {
                if mayAsk { try await tell(bill) } else { keep(bill) }
            } catch {
                keep(bill)
            }
            done()
        }
    }

    private func tell(_ bill: Bill) async throws {
        try await apart { [source] in
            try await source.settle(bill.grants, at: bill.costs, of: bill.organization)
        }
    }

    /// In a task of its own, and no longer than may be: what others depend on does not end with the request of one.
    private func apart<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let task = Task(executorPreference: loop, operation: body)
        let timer = loop.schedule(at: .now() + bounds.patienceWithMoney) { task.cancel() }
        defer { loop.cancel(timer) }
        return try await task.value
    }

    private func keep(_ bill: Bill) {
        // More is not kept: what was granted beyond that stays granted until it is reconciled.
        if bills.count < bounds.unsettled { bills.append(bill) }
    }

    /// Tells the database what it was not there to be told, as far as it listens.
    func payBills() async {
        guard !isPaying, mayAsk else { return }
        isPaying = true
        defer { isPaying = false }
        while let bill = bills.first {
            do {
                try await tell(bill)
                bills.removeFirst()
            } catch {
                return
            }
        }
    }

    /// What the database does not hear now stays granted until it is reconciled.
    func close() async {
        while isPaying {
            do { try await loop.sleep(for: .milliseconds(5)) } catch { return }
        }
        await payBills()
    }

    var hasBills: Bool { !bills.isEmpty }
}
