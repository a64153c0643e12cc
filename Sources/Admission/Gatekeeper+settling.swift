import Base
import Loop
import Redis

extension Gatekeeper {
    /// A request has ended, or was answered without anybody being asked. Only the first time counts.
    ///
    /// What is held of money is given back, all of it.
    ///
    /// - Parameter tokens: what it took; what was reserved beyond that is given back.
    /// - Parameter entry: what the journal shall have of it.
    package func settle(_ permit: Permit, tokens: Int64, journal entry: [UInt8]? = nil) {
        guard let settlement = end(permit, tokens: tokens, cost: 0, entry) else { return }
        if let bill = bill(permit, at: 0) { treasury?.settle(bill) }
        send(settlement)
    }

    /// The same of one that is paid for. Calls `done` when Redis, or the database, has heard of it, or is known not to listen:
    /// then it is told later.
    ///
    /// - Parameter cost: in nano-dollars; what was held beyond that is given back.
    /// - Parameter entry: comes into the journal in the same trip; twice only where Redis has lost its memory in between.
    package func settle(
        _ permit: Permit, tokens: Int64, cost: Int64, journal entry: [UInt8]?,
        then done: @escaping @Sendable () -> Void
    ) {
        let cost = max(0, cost)
        guard let settlement = end(permit, tokens: tokens, cost: cost, entry) else { return done() }
        if let money = permit.money, cost > money.nanodollars { counters?.breach() }
        guard let bill = bill(permit, at: cost), let treasury else { return send(settlement, then: done) }
        send(settlement) { treasury.settle(bill, then: done) }
    }

    /// What is to be told Redis; nil where it was told before.
    private func end(_ permit: Permit, tokens: Int64, cost: Int64, _ entry: [UInt8]?) -> Settlement? {
        guard !permit.isSettled else { return nil }
        permit.isSettled = true
        settleMonths(permit, by: tokens - permit.tokens)
        let subjects = permit.subjects
        leave(subjects)
        let difference = tokens - permit.tokens
        let settlement = Settlement(permit, by: difference, entry: entry)
        if difference != 0, subjects.limitsTokens { settlement.windowed = subjects.windowed }
        if permit.isLocal {
            // A renewal has told Redis of it, perhaps.
            doubt(subjects)
            settlement.windowed = settlement.windowed.filter { correctLocally($0.memory, by: difference) }
        } else {
            settlement.slotted = subjects.slotted
        }
        settlement.cost = cost
        if permit.money?.isDirect == false { settlement.money = permit.money }
        return settlement
    }

    /// What Redis is to be told of the end of a request.
    // Confined to its loop.
    final class Settlement: @unchecked Sendable {
        let permit: Permit
        let difference: Int64
        var windowed: [Subject] = []
        var slotted: [Subject] = []
        let entry: [UInt8]?
        /// What is held in Redis.
        var money: HeldMoney?
        var cost: Int64 = 0
        /// Whether Redis may have been told before.
        var isRepeated = false

        /// - Parameter difference: by how many tokens more it took than were reserved.
        init(_ permit: Permit, by difference: Int64, entry: [UInt8]? = nil) {
            self.permit = permit
            self.difference = difference
            self.entry = entry
        }

        var isEmpty: Bool { windowed.isEmpty && slotted.isEmpty && entry == nil && money == nil }
        /// Whether it is told until Redis has heard it.
        var isOfMoney: Bool { permit.money != nil }
    }

    /// What surely did not reach Redis is kept until it is back; where it is of money, also what may not have reached it.
    func send(_ settlement: Settlement, then done: @escaping @Sendable () -> Void = {}) {
        if settlement.isEmpty { return done() }
        let command = command(sending: settlement)
        redis.pipeline([command], timeout: bounds.patience) { [self] result in
            switch result {
            // Redis has lost its functions, and with them all there was to settle, but for the journal.
            case .success(let values) where values[0].error?.kind == .functionNotFound:
                return loadAndRepeat(command, settlement, then: done)
            case .success(let values) where values[0].error != nil && settlement.isOfMoney:
                postpone(settlement)
            case .success: break
            case .failure(let error): keep(settlement, after: error)
            }
            done()
        }
    }

    private func keep(_ settlement: Settlement, after error: RedisError) {
        doubt(settlement.permit.subjects)
        // Renewals see to these.
        settlement.slotted = []
        if error.mayHaveExecuted {
            guard settlement.isOfMoney else { return }
            settlement.isRepeated = true
            // With a hold it can be told whether they were corrected; without, rather too little than twice.
            if settlement.money == nil { settlement.windowed = [] }
        }
        keep(settlement)
    }

    /// Until Redis is back.
    func keep(_ settlement: Settlement) {
        guard !settlement.isEmpty, unsettled.count + postponed.count < bounds.unsettled else { return }
        unsettled.append(settlement)
    }

    /// Redis listens, and does not do it: so soon it will not either.
    private func postpone(_ settlement: Settlement) {
        settlement.slotted = []
        if unsettled.count + postponed.count < bounds.unsettled { postponed.append(settlement) }
    }

    func takeUpPostponed() {
        unsettled += postponed
        postponed = []
    }

    private func loadAndRepeat(
        _ command: RedisCommand, _ settlement: Settlement, then done: @escaping @Sendable () -> Void
    ) {
        redis.loop.spawn { [self] in
            do throws(RedisError) {
                _ = try await redis.send(command, using: AdmissionLibrary.library, timeout: bounds.patience)
            } catch {
                if settlement.isOfMoney { keep(settlement, after: error) }
            }
            done()
        }
    }

    private func loadAndRepeat(_ command: RedisCommand) {
        redis.loop.spawn { [self] in
            _ = try? await redis.send(command, using: AdmissionLibrary.library, timeout: bounds.patience)
        }
    }

    /// Says whether Redis has been told of what was admitted, and so must be told of this.
    private func correctLocally(_ memory: SubjectMemory, by difference: Int64) -> Bool {
        for span in Span.allCases {
            memory.state[.tokens, span] = max(
                0, memory.state[.tokens, span] + difference * Int64(workerCount))
        }
        if memory.debt == SubjectMemory.Debt() { return true }
        memory.debt.tokens = max(0, memory.debt.tokens + difference)
        return false
    }

    private func command(sending settlement: Settlement) -> RedisCommand {
        let permit = settlement.permit
        var command = RedisCommand(permit.subjects.settling, room: 200 + (settlement.entry?.count ?? 0))
        command.add(
            [
                Double(permit.admittedAt), Double(settlement.difference), Double(permit.month?.index ?? -1),
                identity, Double(settlement.windowed.count), Double(settlement.slotted.count),
                Double(settlement.money?.limits.count ?? 0),
                Double(settlement.entry == nil ? 0 : bounds.journal),
                Double(min(settlement.cost, MoneyNeed.largest)), settlement.isRepeated ? 1 : 0,
            ])
        for subject in settlement.windowed { command.add(subject.field) }
        for subject in settlement.slotted { command.add(subject.slotsField) }
        if let money = settlement.money {
            for limit in money.limits { command.add(limit.field) }
            command.add(money.hold)
        }
        if let entry = settlement.entry { command.add(entry) }
        return command
    }

    /// Speaks for the requests that are under way, so that they go on counting, puts right what Redis counts wrongly, and
    /// tells it what it was not there to be told.
    package func renewLeases() {
        guard redis.isReady else { return }
        payDebts()
        for memories in Dictionary(grouping: occupied.values, by: \.place).values {
            let command = renewal(of: memories)
            for memory in memories { memory.isDoubtful = false }
            // At once: what is sent next is not counted in it.
            redis.pipeline([command], timeout: bounds.patience) { [self] result in
                switch result {
                case .success(let values) where values[0].error?.kind == .functionNotFound:
                    loadAndRepeat(command)
                case .success: for memory in memories { forgetIdle(memory) }
                case .failure: for memory in memories { memory.isDoubtful = true }
                }
            }
        }
    }

    /// - Parameter memories: of one place.
    private func renewal(of memories: [SubjectMemory]) -> RedisCommand {
        let place = memories[0].place
        var command = RedisCommand(calling: AdmissionLibrary.renew, keyCount: 1)
        command.add(place.key)
        command.add([identity, Double(bounds.lease.milliseconds), Double(life(at: place))])
        for memory in memories {
            command.add(memory.slotsField)
            // Those that Redis has not answered yet may be among them.
            command.add([Double(memory.underway), Double(memory.asked)])
        }
        return command
    }
}

extension SubjectMemory {
    fileprivate var slotsField: [UInt8] { Subject.slotsField(of: name) }
}

extension Place {
    /// Nobody keeps events of those who are not known.
    var journal: [UInt8] {
        switch self {
        case .organization(let organization): OrganizationKeys.journal(of: organization)
        case .address: key
        }
    }
}
