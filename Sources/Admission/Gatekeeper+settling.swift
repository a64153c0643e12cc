import Base
import Loop
import Redis

extension Gatekeeper {
    /// A request has ended, or was answered without anybody being asked. Only the first time counts.
    ///
    /// - Parameter tokens: what it took; what was reserved beyond that is given back.
    /// - Parameter entry: what the journal shall have of it.
    package func settle(_ permit: Permit, tokens: Int64, journal entry: [UInt8]? = nil) {
        guard !permit.isSettled else { return }
        permit.isSettled = true
        settleMonths(permit, by: tokens - permit.tokens)
        let subjects = permit.subjects
        leave(subjects)
        let difference = tokens - permit.tokens
        var settlement = Settlement(permit: permit, difference: difference, entry: entry)
        if difference != 0, subjects.limitsTokens { settlement.windowed = subjects.windowed }
        if permit.isLocal {
            // A renewal has told Redis of it, perhaps.
            doubt(subjects)
            settlement.windowed = settlement.windowed.filter { correctLocally($0.memory, by: difference) }
        } else {
            settlement.slotted = subjects.slotted
        }
        send(settlement)
    }

    struct Settlement {
        var permit: Permit
        var difference: Int64
        var windowed: [Subject] = []
        var slotted: [Subject] = []
        var entry: [UInt8]?

        var isEmpty: Bool { windowed.isEmpty && slotted.isEmpty && entry == nil }
    }

    /// What surely did not reach Redis is kept until it is back.
    func send(_ settlement: Settlement) {
        if settlement.isEmpty { return }
        let command = command(sending: settlement)
        redis.pipeline([command], timeout: bounds.patience) { [self] result in
            switch result {
            // Redis has lost its functions, and with them all there was to settle, but for the journal.
            case .success(let values) where values[0].error?.kind == .functionNotFound: loadAndRepeat(command)
            case .success: break
            case .failure(let error):
                doubt(settlement.permit.subjects)
                guard !error.mayHaveExecuted, unsettled.count < bounds.unsettled else { return }
                var rest = settlement
                // Renewals see to these.
                rest.slotted = []
                if !rest.isEmpty { unsettled.append(rest) }
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
        var command = RedisCommand(permit.subjects.settling, room: 200 + (settlement.entry?.count ?? 0))
        command.add(
            [
                Double(permit.admittedAt), Double(settlement.difference), Double(permit.month?.index ?? -1),
                identity, Double(settlement.windowed.count), Double(settlement.slotted.count), 0,
                Double(settlement.entry == nil ? 0 : bounds.journal),
            ])
        for subject in settlement.windowed { command.add(subject.field) }
        for subject in settlement.slotted { command.add(subject.slotsField) }
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
