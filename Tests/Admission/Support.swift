import Base
import Glibc
import Loop
import Postgres
import Redis
import TestKit
import Testing

@testable import Admission

/// So long that only a hang reaches it.
let patience = Duration.seconds(20)

/// Options for tests that are not about time.
var patientOptions: RedisOptions {
    var options = RedisOptions()
    options.timeout = patience
    options.connectTimeout = .seconds(10)
    options.maximumBackoff = .milliseconds(50)
    return options
}

/// A private Redis and a client that is ready.
func withRedis(
    _ options: RedisOptions = patientOptions,
    _ body: sending @escaping (PrivateRedis, RedisClient) async throws -> Void
) async throws {
    try await onLoop { loop in
        try await PrivateRedis.with(on: loop) { redis in
            let client = RedisClient(try RedisURL(redis.url), options: options, on: loop)
            defer { client.close() }
            _ = try await client.send(RedisCommand("PING"), timeout: patience, waitsForConnection: true)
            try await body(redis, client)
        }
    }
}

/// Where random tests begin: at `SEED`, or anywhere.
func seed() -> UInt64 { setting("SEED") ?? .random(in: 0...UInt64(UInt32.max)) }

func setting(_ name: String) -> UInt64? {
    getenv(name).flatMap { UInt64(String(cString: $0)) }
}

extension Gatekeeper {
    /// Says whether the journal has it.
    @discardableResult
    func settle(_ permit: Permit, tokens: Int64, cost: Int64, journal entry: [UInt8]?) async -> Bool {
        let costs = (permit.money?.limits ?? []).map { _ in cost }
        let item = entry.map { JournalItem(id: .make(), bytes: $0) }
        return await withUnsafeContinuation { continuation in
            settle(permit, tokens: tokens, costs: costs, journal: item) { continuation.resume(returning: $0) }
        }
    }
}

// MARK: - Callers

/// What a process has of admission: a loop, a connection and a gatekeeper.
// The gatekeeper and the client are used on the loop only.
final class Worker: @unchecked Sendable {
    let loop: EventLoop
    let client: RedisClient
    let gatekeeper: Gatekeeper
    /// Where there is money.
    let pool: PostgresPool?

    fileprivate init(
        _ url: String, _ bounds: Gatekeeper.Bounds, _ quotas: Gatekeeper.QuotaSource?, _ bank: Bank?,
        on loop: EventLoop
    ) async throws {
        self.loop = loop
        client = RedisClient(try RedisURL(url), options: patientOptions, on: loop)
        pool = try bank.map { bank in
            var configuration = try PostgresConfiguration(url: bank.database)
            configuration.role = "hivegate_app"
            return PostgresPool(configuration, on: loop)
        }
        gatekeeper = Gatekeeper(
            client, bounds: bounds, counters: bank?.counters, grants: pool.map { GrantStore($0) },
            quotas: quotas)
        _ = try await client.send(RedisCommand("PING"), timeout: patience, waitsForConnection: true)
    }

    func run<Result: Sendable>(
        _ body: @escaping @Sendable (Worker) async throws -> Result
    ) async throws -> Result {
        try await Task(executorPreference: loop) { try await body(self) }.value
    }

    /// One request, from asking to the verdict.
    func admit(_ list: SubjectList, tokens: Int64 = 0, calendar: Calendar? = nil) async -> Gatekeeper.Verdict
    {
        let request = AdmissionRequest(list, generation: nil, tokens: tokens, calendar: calendar)
        return await gatekeeper.admit(request).verdict
    }

    /// What Redis has counted of an organization.
    func counted(_ organization: UUID) async throws -> WindowState {
        var command = RedisCommand("HGET")
        command.add(Place.organization(organization).key)
        command.add("o")
        let value = try await client.send(command, timeout: patience, waitsForConnection: true)
        return value.bytes?.withUnsafeBytes { WindowState($0) } ?? WindowState()
    }

    /// In milliseconds, by Redis's clock.
    func now() async throws -> Int64 {
        let value = try await client.send(RedisCommand("TIME"), timeout: patience, waitsForConnection: true)
        let numbers = value.array?.compactMap { $0.string.flatMap { Int64($0) } } ?? []
        return try #require(numbers.first) * 1000 + #require(numbers.last) / 1000
    }
}

/// For tests that are not about Redis being away.
var patientBounds: Gatekeeper.Bounds {
    var bounds = Gatekeeper.Bounds()
    bounds.patience = patience
    return bounds
}

/// Where the money comes from.
struct Bank: Sendable {
    /// A database with all migrations.
    var database: String
    var counters: AdmissionCounters
}

/// Several workers in front of one private Redis.
func withWorkers(
    _ count: Int, _ bounds: Gatekeeper.Bounds = patientBounds, quotas: Gatekeeper.QuotaSource? = nil,
    bank: Bank? = nil, redisArguments: [String] = [],
    _ body: sending @escaping (PrivateRedis, [Worker]) async throws -> Void
) async throws {
    try await onLoop { loop in
        try await PrivateRedis.with(redisArguments, on: loop) { redis in
            let group = try LoopGroup(count: count, name: "worker")
            try group.start()
            defer { group.stop() }
            let url = redis.url
            var workers: [Worker] = []
            for loop in group.loops {
                let task = Task(executorPreference: loop) {
                    try await Worker(url, bounds, quotas, bank, on: loop)
                }
                workers.append(try await task.value)
                workers.last?.gatekeeper.workerCount = count
            }
            let result: Result<Void, any Error>
            do { result = .success(try await body(redis, workers)) } catch { result = .failure(error) }
            for worker in workers {
                try await worker.run {
                    $0.client.close()
                    await $0.pool?.close(until: .now() + .seconds(5))
                }
            }
            try result.get()
        }
    }
}

/// Runs `body` in as many tasks as `count` says, spread over all workers, and waits for them all.
func crowd<Result: Sendable>(
    of count: Int, at workers: [Worker], _ body: @escaping @Sendable (Worker, Int) async throws -> Result
) async throws -> [Result] {
    try await withThrowingTaskGroup(of: Result.self) { group in
        for number in 0..<count {
            let worker = workers[number % workers.count]
            group.addTask(executorPreference: worker.loop) { try await body(worker, number) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
    }
}

extension Gatekeeper.Verdict {
    var permit: Permit? { if case .admitted(let permit) = self { permit } else { nil } }

    var shortage: Shortage? { if case .unfunded(let shortage) = self { shortage } else { nil } }

    var refusal: Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }
}

/// Waits until something is so; throws when it never is.
func eventually(_ loop: EventLoop, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<4000 {
        if try await condition() { return }
        try await loop.sleep(for: .milliseconds(5))
    }
    throw NeverSo()
}

struct NeverSo: Error {}
