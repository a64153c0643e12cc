import Base
import Loop
import Postgres
import Redis
import TestKit
import Testing

@testable import Admission

/// In nano-dollars.
let dollar: Int64 = 1_000_000_000
let cent = dollar / 100

/// Gatekeepers in front of one Redis and one database, and an organization with money.
// All is used on the first loop but for what workers do on their own.
final class MoneyWorld: @unchecked Sendable {
    let redis: PrivateRedis
    let workers: [Worker]
    let metrics: Metrics
    let organization = UUID.make()
    private var owner: PostgresConnection
    private let database: String

    fileprivate init(
        _ redis: PrivateRedis, _ workers: [Worker], _ metrics: Metrics, _ database: String
    ) async throws {
        (self.redis, self.workers, self.metrics, self.database) = (redis, workers, metrics, database)
        owner = try await PostgresConnection.connect(PostgresConfiguration(url: database), on: redis.loop)
        try await found(organization)
    }

    /// The database was away.
    func reconnect() async throws {
        owner.close()
        owner = try await PostgresConnection.connect(PostgresConfiguration(url: database), on: redis.loop)
    }

    fileprivate func close() { owner.close() }

    /// On the loop of the connection, wherever one is.
    private func query(_ sql: SQL) async throws -> PostgresRows {
        try await Task(executorPreference: redis.loop) { [owner] in try await owner.query(sql) }.value
    }

    func found(_ organization: UUID) async throws {
        _ = try await query("INSERT INTO organizations (id, name) VALUES (\(organization), 'acme')")
    }

    /// A budget is good for an hour.
    func makeLimit(
        _ cap: Int64, wallet: Bool = false, of subject: LimitSubject = .organization, at place: UUID? = nil,
        endsIn rest: Duration = .seconds(3600)
    ) async throws -> MoneyLimit {
        let limit = MoneyLimit(id: .make(), isWallet: wallet, subject: subject)
        let now = Timestamp.now()
        let start: Timestamp? = wallet ? nil : now + .seconds(-3600)
        let end: Timestamp? = wallet ? nil : now + rest
        _ = try await query(
            """
            INSERT INTO money_limits (id, org_id, kind, subject, window_start, window_end, cap_nano)
            VALUES (\(limit.id), \(place ?? organization), \(wallet ? "wallet" : "budget"), \(subject.text),
                \(start), \(end), \(cap))
            """)
        return limit
    }

    func setCap(_ cap: Int64, of limit: MoneyLimit) async throws {
        _ = try await query("UPDATE money_limits SET cap_nano = \(cap) WHERE id = \(limit.id)")
    }

    /// Somebody else holds on to a limit in the database, as long as `body` goes on.
    func lock<Value>(_ limit: MoneyLimit, _ body: () async throws -> Value) async throws -> Value {
        try await owner.transaction { transaction in
            try await transaction.execute("SELECT FROM money_limits WHERE id = \(limit.id) FOR UPDATE")
            return try await body()
        }
    }

    // MARK: What there is

    struct Account: Equatable {
        var settled: Int64
        var granted: Int64
        /// All grants that are open.
        var open: Int64
        /// In Redis.
        var left: Int64 = 0
        var held: Int64 = 0
    }

    func account(_ limit: MoneyLimit, isInRedis: Bool = true) async throws -> Account {
        let row = try await query(
            """
            SELECT settled_nano, granted_nano, COALESCE((
                SELECT sum(amount_nano)::bigint FROM money_grants WHERE limit_id = money_limits.id
                    AND closed_at IS NULL), 0)
            FROM money_limits WHERE id = \(limit.id)
            """
        ).decode((Int64, Int64, Int64).self)[0]
        var account = Account(settled: row.0, granted: row.1, open: row.2)
        guard isInRedis else { return account }
        let fields = try await fields()
        if let slice = fields[limit.field] {
            slice.withUnsafeBytes { bytes in
                account.left = Int64(bytes.double(at: 0))
                account.held = Int64(bytes.double(at: 8))
            }
        }
        return account
    }

    func grantCount(_ limit: MoneyLimit) async throws -> Int {
        Int(
            try await query("SELECT count(*) FROM money_grants WHERE limit_id = \(limit.id)")
                .decode(Int64.self)[0])
    }

    /// All that Redis keeps of the organization.
    func fields() async throws -> [[UInt8]: [UInt8]] {
        var command = RedisCommand("HGETALL")
        command.add(Place.organization(organization).key)
        let values = try await send(command).array ?? []
        var fields: [[UInt8]: [UInt8]] = [:]
        for place in stride(from: 0, to: values.count, by: 2) {
            fields[values[place].bytes ?? []] = values[place + 1].bytes ?? []
        }
        return fields
    }

    /// What is in the journal, sorted.
    func journal() async throws -> [String] {
        var command = RedisCommand("HVALS")
        command.add(OrganizationKeys.journal(of: organization))
        return (try await send(command).array ?? []).compactMap(\.string).sorted()
    }

    @discardableResult
    func send(_ command: RedisCommand) async throws -> RedisValue {
        try await workers[0].run { worker in
            try await worker.client.send(command, timeout: patience, waitsForConnection: true)
        }
    }

    func counter(_ name: String) -> Int {
        let lines = String(decoding: metrics.render(), as: UTF8.self).split(separator: "\n")
        return lines.first { $0.hasPrefix(name + " ") }.flatMap { Int($0.dropFirst(name.count + 1)) } ?? -1
    }

    // MARK: Requests

    func admit(
        _ worker: Worker, _ limits: [MoneyLimit], _ nanodollars: Int64, _ subjects: Limits = Limits()
    ) async -> Gatekeeper.Verdict {
        let list = worker.gatekeeper.subjects(
            [(.organization, subjects)], at: .organization(organization))
        let request = AdmissionRequest(list, generation: nil)
        request.money = MoneyNeed(limits: limits, nanodollars: nanodollars)
        return await worker.gatekeeper.admit(request).verdict
    }

    /// Until all that was to be told Redis and the database is told.
    func settleAll() async throws {
        for worker in workers {
            try await worker.run { worker in
                try await eventually(worker.loop) {
                    _ = try? await worker.client.send(
                        RedisCommand("PING"), timeout: patience, waitsForConnection: true)
                    worker.gatekeeper.takeUpPostponed()
                    worker.gatekeeper.payDebts()
                    await worker.gatekeeper.treasury?.payBills()
                    _ = try? await worker.client.send(RedisCommand("PING"), timeout: patience)
                    return worker.gatekeeper.unsettled.isEmpty && worker.gatekeeper.postponed.isEmpty
                        && worker.gatekeeper.treasury?.hasBills != true
                }
            }
        }
    }
}

func withMoney(
    _ count: Int = 1, _ bounds: Gatekeeper.Bounds = patientBounds, redisArguments: [String] = [],
    postgres: PrivatePostgres = .shared, _ body: @escaping @Sendable (MoneyWorld) async throws -> Void
) async throws {
    let url = try await MigratedDatabase(in: postgres).url
    let metrics = Metrics()
    let bank = Bank(database: url, counters: AdmissionCounters(in: metrics))
    try await withWorkers(count, bounds, bank: bank, redisArguments: redisArguments) { redis, workers in
        let world = try await MoneyWorld(redis, workers, metrics, url)
        let result: Result<Void, any Error>
        do { result = .success(try await body(world)) } catch { result = .failure(error) }
        world.close()
        try result.get()
    }
}
