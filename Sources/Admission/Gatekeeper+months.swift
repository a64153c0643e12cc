import Base
import Redis

/// What is used of months, on its way to the database.
extension Gatekeeper {
    /// What Redis has said of a subject's month.
    struct MonthCount: Equatable {
        var month: Int64
        var requests: Int64
        var tokens: Int64

        /// nil where Redis does not know what came before.
        init?(_ state: WindowState) {
            guard state.month > 0 else { return nil }
            month = state.month
            requests = state[.requests, .month]
            tokens = state[.tokens, .month]
        }
    }

    /// The months of these have gone on, or will when Redis is told what was admitted without it.
    func noteMonths(of subjects: SubjectList) {
        guard subjects.limitsMonth else { return }
        for subject in subjects.windowed where subject.limitsMonth { noteMonth(of: subject.memory) }
    }

    /// What was reserved is told Redis otherwise, too; where it goes away before it has said so, this stands.
    func settleMonths(_ permit: Permit, by difference: Int64) {
        guard difference != 0, permit.subjects.limitsMonth else { return }
        noteMonths(of: permit.subjects)
        if permit.isLocal { return }
        for subject in permit.subjects.windowed {
            guard var count = subject.memory.month, count.month == permit.month?.index else { continue }
            count.tokens = max(0, count.tokens + difference)
            subject.memory.month = count
        }
    }

    /// What does not fit is noted when it goes on again.
    private func noteMonth(of memory: SubjectMemory) {
        guard !memory.hasNewMonth, changed.count < bounds.subjects else { return }
        memory.hasNewMonth = true
        changed.append(memory)
    }

    /// Gives all that the database has not been told yet to `write`, in batches. What it does not take is kept.
    package func writeMonths(_ write: ([QuotaStore.Entry]) async throws -> Void) async throws {
        var noted = changed[...]
        changed = []
        // What goes on from here is noted anew.
        for memory in noted { memory.hasNewMonth = false }
        while !noted.isEmpty {
            let batch = noted.prefix(QuotaStore.batch)
            await readMonths(of: batch)
            let unwritten = batch.compactMap { memory in
                memory.month == memory.writtenMonth ? nil : memory.month.map { (memory: memory, count: $0) }
            }
            do { try await write(Self.entries(unwritten)) } catch {
                for memory in noted { noteMonth(of: memory) }
                throw error
            }
            for (memory, count) in unwritten { memory.writtenMonth = count }
            // Redis is to be asked again when it has been told of these.
            for memory in batch where memory.debt != SubjectMemory.Debt() { noteMonth(of: memory) }
            noted = noted.dropFirst(batch.count)
        }
    }

    /// A subject that was forgotten and came again is remembered twice.
    private static func entries(
        _ counts: [(memory: SubjectMemory, count: MonthCount)]
    ) -> [QuotaStore.Entry] {
        struct Key: Hashable {
            var organization: UUID
            var subject: Subject.Name
            var month: Int64
        }
        var largest: [Key: QuotaStore.Entry] = [:]
        for (memory, count) in counts {
            guard case .organization(let organization) = memory.place else { continue }
            let key = Key(organization: organization, subject: memory.name, month: count.month)
            let known = largest[key]?.use
            largest[key] = QuotaStore.Entry(
                organization: organization, month: count.month,
                use: QuotaUse(
                    subject: memory.name.text, requests: max(known?.requests ?? 0, count.requests),
                    tokens: max(known?.tokens ?? 0, count.tokens)))
        }
        return Array(largest.values)
    }

    /// As Redis has them now. Where it does not say, what it said last stands, and it is asked again.
    private func readMonths(of memories: ArraySlice<SubjectMemory>) async {
        let groups = Dictionary(grouping: memories, by: \.place).map { (place: $0.key, memories: $0.value) }
        let commands = groups.map { group in
            var command = RedisCommand("HMGET")
            command.add(group.place.key)
            for memory in group.memories { command.add(memory.name.field) }
            return command
        }
        do throws(RedisError) {
            let answers = try await redis.pipeline(commands, timeout: bounds.patienceWithMonths)
            for (group, answer) in zip(groups, answers) {
                for (memory, value) in zip(group.memories, answer.array ?? []) {
                    if let count = WindowState(value).flatMap(MonthCount.init) { memory.month = count }
                }
            }
        } catch {
            for memory in memories { noteMonth(of: memory) }
        }
    }
}

extension WindowState {
    /// nil where Redis has none.
    init?(_ value: RedisValue) {
        guard let bytes = value.bytes, bytes.count == Self.byteCount else { return nil }
        self = bytes.withUnsafeBytes { WindowState($0) }
    }
}
