package import Base
import Redis

/// What there is in Redis of an organization's money, for whoever compares it with what the database has granted.
extension Gatekeeper {
    /// A journal with more entries is not looked through at once.
    private static let mostEntries = 5000
    private static let holdsAtOnce = 1000
    private static let mostHolds = 100_000

    /// What Redis has of one limit.
    package struct Account: Equatable, Sendable {
        package var left: Int64
        package var held: Int64
        /// Paid by what is in the journal.
        package var paid: Int64
        /// Whether some request may still have to pay that Redis has forgotten.
        package var isUncertain: Bool
    }

    /// Throws where Redis does not answer.
    ///
    /// - Parameter takingBack: whether what is left is to go.
    /// - Returns: of each limit; nil where the journal is too long now.
    package func accounts(
        of limits: [UUID], in organization: UUID, takingBack: Bool = false
    ) async throws -> [Account]? {
        let workers = try await workers()
        var command = RedisCommand(calling: AdmissionLibrary.account, keyCount: 2)
        command.add(Place.organization(organization).key)
        command.add(Place.organization(organization).journal)
        command.add([Double(Self.mostEntries), takingBack ? 1 : 0])
        for limit in limits { command.add(limit.bytes) }
        let bytes =
            try await redis.send(
                command, using: AdmissionLibrary.library, timeout: .seconds(2), waitsForConnection: true
            ).bytes ?? []
        guard bytes.count == 16 + 32 * limits.count else { return nil }
        return bytes.withUnsafeBytes { bytes in
            limits.indices.map { place in
                func number(_ position: Int) -> Int64 {
                    Int64(bytes.double(at: 16 + 32 * place + 8 * position))
                }
                let born = number(2)
                return Account(
                    left: number(0), held: number(1), paid: number(3),
                    isUncertain: !workers.areComplete
                        || workers.living.contains {
                            $0.saidAt <= born || $0.paidSince > 0 && $0.paidSince <= born
                        })
            }
        }
    }

    private struct Living {
        var worker: Double
        /// In milliseconds of Redis's clock.
        var saidAt: Int64
        /// 0: it has nothing that is paid for.
        var paidSince: Int64
    }

    private struct Workers {
        var living: [Living]
        /// Whether each loop that lives has had the time to say so.
        var areComplete: Bool
    }

    /// The loops of all processes.
    private func workers() async throws(RedisError) -> Workers {
        var command = RedisCommand(calling: AdmissionLibrary.workers, keyCount: 2)
        command.add(AdmissionLibrary.underwayKey)
        command.add(AdmissionLibrary.sinceKey)
        let answer =
            try await redis.send(
                command, using: AdmissionLibrary.library, timeout: .seconds(2), waitsForConnection: true
            ).array ?? []
        guard answer.count == 3, let now = answer[0].integer, let since = answer[1].integer,
            let values = answer[2].array
        else { return Workers(living: [], areComplete: false) }
        let living = stride(from: 0, to: values.count - 1, by: 2).compactMap { place -> Living? in
            guard let name = values[place].string, let worker = Double(name),
                let numbers = values[place + 1].bytes, numbers.count == 16
            else { return nil }
            return numbers.withUnsafeBytes {
                Living(worker: worker, saidAt: Int64($0.double(at: 0)), paidSince: Int64($0.double(at: 8)))
            }
        }
        return Workers(living: living, areComplete: Int64(now - since) >= bounds.lifeOfWorker.milliseconds)
    }

    /// The loops of all processes that have spoken lately; nil: some may live that have not had the time to, because Redis was
    /// emptied or restarted.
    package func livingWorkers() async throws -> [Int64]? {
        let workers = try await workers()
        return workers.areComplete ? workers.living.map { Int64($0.worker) } : nil
    }

    /// What is held for requests whose loop has been silent for so long.
    package func orphans(of organization: UUID, after silence: Duration) async throws -> [HoldNote.Hold] {
        let now = clock.now(time.instant(), time.timestamp())
        var found: [HoldNote.Hold] = []
        var cursor = "0"
        repeat {
            var command = RedisCommand("HSCAN")
            command.add(Place.organization(organization).key)
            command.add(cursor)
            for word in ["MATCH", "h*", "COUNT", "\(Self.holdsAtOnce)"] { command.add(word) }
            let answer =
                try await redis.send(command, timeout: .seconds(2), waitsForConnection: true).array ?? []
            cursor = answer.first?.string ?? "0"
            let values = answer.last?.array ?? []
            for place in stride(from: 0, to: values.count - 1, by: 2) {
                guard let hold = HoldNote.hold(values[place].bytes ?? [], values[place + 1].bytes ?? []),
                    hold.time + silence.milliseconds < now
                else { continue }
                found.append(hold)
            }
        } while cursor != "0" && found.count < Self.mostHolds
        if found.isEmpty { return [] }
        // Asked behind, so that who has begun meanwhile is among them.
        let workers = try await workers()
        guard workers.areComplete else { return [] }
        let living = Set(workers.living.map(\.worker))
        return found.filter { !living.contains($0.worker) }
    }

    /// Ends what is held for a request of which nobody speaks any more. Says whether it was still held.
    ///
    /// - Parameter costs: what each of its limits pays.
    package func release(
        _ hold: HoldNote.Hold, of organization: UUID, at costs: [Int64], journal item: JournalItem?
    ) async throws -> Bool {
        var command = RedisCommand(calling: AdmissionLibrary.settle, keyCount: 2, room: 1024)
        command.add(Place.organization(organization).key)
        command.add(Place.organization(organization).journal)
        command.add(
            [
                Double(hold.time), 0, -1, identity, 0, 0, Double(hold.parts.count), item == nil ? 0 : 1,
                // Who comes second does nothing.
                1,
            ] + costs.map(Double.init))
        for part in hold.parts { command.add(part.limit.bytes(behind: "b")) }
        command.add(hold.note.id.bytes(behind: "h"))
        if let item {
            command.add(item.id.bytes)
            command.add(item.bytes)
        }
        let value = try await redis.send(
            command, using: AdmissionLibrary.library, timeout: .seconds(2), waitsForConnection: true)
        return value.integer == 1
    }
}
