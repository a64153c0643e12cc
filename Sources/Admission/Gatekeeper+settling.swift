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
        let mustCorrect = difference != 0 && subjects.limitsTokens
        if permit.isLocal {
            // A renewal has told Redis of it, perhaps.
            doubt(subjects)
            if mustCorrect { correctLocally(permit, by: difference) }
            return
        }
        guard mustCorrect || !subjects.slotted.isEmpty || entry != nil else { return }
        let command = command(settling: permit, difference: mustCorrect ? difference : 0, entry)
        redis.pipeline([command], timeout: bounds.patience) { [self] result in
            switch result {
            // Redis has lost its functions, and with them all there was to settle, but for the journal.
            case .success(let values) where values[0].error?.kind == .functionNotFound: loadAndRepeat(command)
            case .success: break
            case .failure: doubt(subjects)
            }
        }
    }

    private func loadAndRepeat(_ command: RedisCommand) {
        redis.loop.spawn { [self] in
            _ = try? await redis.send(command, using: AdmissionLibrary.library, timeout: bounds.patience)
        }
    }

    private func correctLocally(_ permit: Permit, by difference: Int64) {
        for subject in permit.subjects.windowed {
            let memory = subject.memory
            for span in Span.allCases {
                memory.state[.tokens, span] = max(
                    0, memory.state[.tokens, span] + difference * Int64(workerCount))
            }
            if memory.debt != SubjectMemory.Debt() {
                memory.debt.tokens = max(0, memory.debt.tokens + difference)
            }
        }
    }

    private func command(settling permit: Permit, difference: Int64, _ entry: [UInt8]?) -> RedisCommand {
        let subjects = permit.subjects
        var command = RedisCommand(calling: AdmissionLibrary.settle, keyCount: 2)
        command.add(subjects.place.key)
        command.add(subjects.place.journal)
        let windowed = difference == 0 ? [] : subjects.windowed
        command.add(
            [
                Double(permit.admittedAt), Double(difference), Double(permit.month?.index ?? -1), identity,
                Double(windowed.count), Double(subjects.slotted.count), 0,
                Double(entry == nil ? 0 : bounds.journal),
            ])
        for subject in windowed { command.add(subject.field) }
        for subject in subjects.slotted { command.add(subject.slotsField) }
        if let entry { command.add(entry) }
        return command
    }

    /// Speaks for the requests that are under way, so that they go on counting, and puts right what Redis counts wrongly.
    package func renewLeases() {
        guard redis.isReady else { return }
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
    fileprivate var journal: [UInt8] {
        switch self {
        case .organization(let organization): OrganizationKeys.journal(of: organization)
        case .address: key
        }
    }
}
