package import Base
import Loop
import Redis

extension Gatekeeper {
    /// A request has ended, or was answered without anybody being asked. Only the first time counts.
    ///
    /// What is held of money is given back, all of it.
    ///
    /// - Parameter tokens: what it took; what was reserved beyond that is given back.
    package func settle(_ permit: Permit, tokens: Int64) {
        guard let settlement = end(permit, tokens: tokens) else { return }
        if let bill = bill(permit, at: []) { treasury?.settle(bill) }
        send(settlement) { _ in }
        writtenDown(permit)
    }

    /// The same of one that is paid for, or leaves something in the journal. Calls `done` when Redis, or the database, has
    /// heard of it, or is known not to listen: then it is told later.
    ///
    /// - Parameter costs: what each limit of the permit's money pays, in nano-dollars; what was held beyond is given back.
    /// - Parameter item: comes into the journal in the same trip.
    /// - Parameter done: is told whether the journal has it. Where not it never comes there: nobody else has it.
    package func settle(
        _ permit: Permit, tokens: Int64, costs: [Int64] = [], journal item: JournalItem?,
        then done: @escaping @Sendable (_ isJournaled: Bool) -> Void
    ) {
        guard let settlement = end(permit, tokens: tokens) else { return done(false) }
        settlement.costs = costs
        settlement.item = item
        if let money = permit.money, costs.contains(where: { $0 > money.nanodollars }) { counters?.breach() }
        guard let bill = bill(permit, at: costs), let treasury else {
            return send(settlement) { [self] isJournaled in
                if isJournaled { writtenDown(permit) }
                done(isJournaled)
            }
        }
        send(settlement) { isJournaled in treasury.settle(bill) { done(isJournaled) } }
    }

    /// What a permit's request has cost is in the journal, or in the database.
    package func writtenDown(_ permit: Permit) {
        if permit.money != nil { paidSince[ObjectIdentifier(permit)] = nil }
    }

    /// What is to be told Redis; nil where it was told before.
    private func end(_ permit: Permit, tokens: Int64) -> Settlement? {
        guard !permit.isSettled else { return nil }
        permit.isSettled = true
        if permit.money != nil { counters?.endHold() }
        settleMonths(permit, by: tokens - permit.tokens)
        let subjects = permit.subjects
        leave(subjects)
        let difference = tokens - permit.tokens
        let settlement = Settlement(permit, by: difference)
        if difference != 0, subjects.limitsTokens { settlement.windowed = subjects.windowed }
        if permit.isLocal {
            // A renewal has told Redis of it, perhaps.
            doubt(subjects)
            settlement.windowed = settlement.windowed.filter { correctLocally($0.memory, by: difference) }
        } else {
            settlement.slotted = subjects.slotted
        }
        if permit.money?.isDirect == false { settlement.money = permit.money }
        return settlement
    }

    /// What the journal has of a request: once, however often it is written there.
    package struct JournalItem: Sendable {
        package let id: UUID
        package let bytes: [UInt8]

        package init(id: UUID, bytes: [UInt8]) {
            self.id = id
            self.bytes = bytes
        }
    }

    /// What Redis is to be told of the end of a request.
    // Confined to its loop.
    final class Settlement: @unchecked Sendable {
        let permit: Permit
        let difference: Int64
        var windowed: [Subject] = []
        var slotted: [Subject] = []
        /// What the journal shall have of it.
        var item: JournalItem?
        /// What is held in Redis.
        var money: HeldMoney?
        /// What each limit pays of that.
        var costs: [Int64] = []
        /// Whether Redis may have been told before.
        var isRepeated = false

        /// - Parameter difference: by how many tokens more it took than were reserved.
        init(_ permit: Permit, by difference: Int64) {
            self.permit = permit
            self.difference = difference
        }

        /// What each limit pays, up to where Lua's numbers are exact.
        var charged: [Int64] {
            (money?.limits.indices ?? 0..<0).map { place in
                place < costs.count ? min(max(0, costs[place]), MoneyNeed.largest) : 0
            }
        }

        var isEmpty: Bool { windowed.isEmpty && slotted.isEmpty && item == nil && money == nil }
        /// Whether it is told until Redis has heard it.
        var isOfMoney: Bool { permit.money != nil }
    }

    /// What surely did not reach Redis is kept until it is back; where it is of money, also what may not have reached it.
    func send(
        _ settlement: Settlement, then done: @escaping @Sendable (_ isJournaled: Bool) -> Void
    ) {
        if settlement.isEmpty { return done(false) }
        let command = command(sending: settlement)
        redis.pipeline([command], timeout: bounds.patience) { [self] result in
            switch result {
            // Redis has lost its functions, and with them all there was to settle, but for the journal.
            case .success(let values) where values[0].error?.kind == .functionNotFound:
                return loadAndRepeat(command, settlement, then: done)
            case .success(let values) where values[0].error != nil && settlement.isOfMoney:
                postpone(settlement)
            case .success(let values) where values[0].error == nil: return done(settlement.item != nil)
            case .success: break
            case .failure(let error): keep(settlement, after: error)
            }
            done(false)
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

    /// Until Redis is back. What the journal should have had others have then.
    func keep(_ settlement: Settlement) {
        settlement.item = nil
        guard !settlement.isEmpty, unsettled.count + postponed.count < bounds.unsettled else { return }
        unsettled.append(settlement)
    }

    /// Redis listens, and does not do it: so soon it will not either.
    private func postpone(_ settlement: Settlement) {
        settlement.slotted = []
        settlement.item = nil
        if unsettled.count + postponed.count < bounds.unsettled { postponed.append(settlement) }
    }

    func takeUpPostponed() {
        unsettled += postponed
        postponed = []
    }

    private func loadAndRepeat(
        _ command: RedisCommand, _ settlement: Settlement,
        then done: @escaping @Sendable (_ isJournaled: Bool) -> Void
    ) {
        redis.loop.spawn { [self] in
            do throws(RedisError) {
                _ = try await redis.send(command, using: AdmissionLibrary.library, timeout: bounds.patience)
                done(settlement.item != nil)
            } catch {
                if settlement.isOfMoney { keep(settlement, after: error) }
                done(false)
            }
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
        var command = RedisCommand(permit.subjects.settling, room: 240 + (settlement.item?.bytes.count ?? 0))
        command.add(
            [
                Double(permit.admittedAt), Double(settlement.difference), Double(permit.month?.index ?? -1),
                identity, Double(settlement.windowed.count), Double(settlement.slotted.count),
                Double(settlement.money?.limits.count ?? 0),
                settlement.item == nil ? 0 : 1, settlement.isRepeated ? 1 : 0,
            ] + settlement.charged.map(Double.init))
        for subject in settlement.windowed { command.add(subject.field) }
        for subject in settlement.slotted { command.add(subject.slotsField) }
        if let money = settlement.money {
            for limit in money.limits { command.add(limit.field) }
            command.add(money.hold)
        }
        if let item = settlement.item {
            command.add(item.id.bytes)
            command.add(item.bytes)
        }
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
