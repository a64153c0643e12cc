package import Base
package import Catalog
package import Chat
import Postgres

/// Why a call was charged what it was.
package struct Receipt: Sendable {
    package let call: UUID
    package let at: Timestamp
    package fileprivate(set) var attempts: [Attempt] = []
    /// Which limits on money have paid.
    package fileprivate(set) var payments: [Payment] = []
    /// With what else it came into the books.
    package let batch: UUID
    /// All transfers of the batch for the organization: what they move for this call is among what they move for others.
    package fileprivate(set) var transfers: [Transfer] = []

    package struct Attempt: Sendable {
        package let provider: String
        package let model: String
        package let isOwnKey: Bool
        package let isEstimated: Bool
        package let usage: ChatUsage
        package let images: Int
        /// With the model, the name of the price that held.
        package let priceFrom: Timestamp?
        /// The organization's own price that lay over it.
        package let override: UUID?
        /// That, where it is still there.
        package fileprivate(set) var ownPrice: PriceOverride?
        package let cost: Int64?
        package let commission: Int64
        package let charge: Int64
    }

    package struct Payment: Sendable {
        package let limit: UUID
        /// `wallet`, `budget`; nil where it is not there any more.
        package fileprivate(set) var kind: String?
        package fileprivate(set) var subject: String?
        package let amount: Int64
    }

    package struct Transfer: Sendable {
        package let debit: String
        package let credit: String
        package let amount: Int64
    }
}

extension AnalyticsStore {
    package static let mostReceipts = 100

    /// One for each call of a request, which is mostly one; none where the organization has no such request.
    package func receipts(of request: String, in organization: UUID) async throws -> [Receipt] {
        try await pool.transaction(tenant: organization, isolation: .repeatableRead, readOnly: true) {
            transaction in
            let rows = try await transaction.query(
                """
                SELECT id, at, batch_id, is_last, provider, model, is_own_key, is_estimated, input, cache_read, cache_write,
                    cache_write_hour, audio_input, image_input, output, reasoning, audio_output, image_output, images,
                    price_from, price_override, cost_nano, commission_nano, charge_nano, limit_ids, limit_nanos, attempt
                FROM usage_events WHERE org_id = \(organization) AND request_id = \(request)
                ORDER BY id, attempt LIMIT \(Self.mostReceipts)
                """)
            var receipts: [Receipt] = []
            for row in rows {
                let id = try row.decode(UUID.self, "id")
                if receipts.last?.call != id { receipts.append(try Receipt(row, of: id)) }
                try receipts[receipts.count - 1].add(row)
            }
            for index in receipts.indices { try await receipts[index].complete(organization, transaction) }
            return receipts
        }
    }
}

extension Receipt {
    fileprivate init(_ row: PostgresRow, of call: UUID) throws {
        self.call = call
        at = try row.decode(Timestamp.self, "at")
        batch = try row.decode(UUID.self, "batch_id")
    }

    fileprivate mutating func add(_ row: PostgresRow) throws {
        if try row.decode(Int16.self, "attempt") > 0 { attempts.append(try Attempt(row)) }
        let amounts = try row.decode([Int64].self, "limit_nanos")
        for (limit, amount) in zip(try row.decode([UUID].self, "limit_ids"), amounts) {
            payments.append(Payment(limit: limit, amount: amount))
        }
    }

    fileprivate mutating func complete(
        _ organization: UUID, _ transaction: PostgresTransaction
    ) async throws {
        let limits = try await transaction.query(
            "SELECT id, kind, subject FROM money_limits WHERE id = ANY(\(payments.map(\.limit)))"
        ).decode((UUID, String, String).self)
        for (id, kind, subject) in limits {
            for index in payments.indices where payments[index].limit == id {
                (payments[index].kind, payments[index].subject) = (kind, subject)
            }
        }
        let overrides = try await CatalogStore.overrides(
            named: attempts.compactMap(\.override), transaction)
        for index in attempts.indices {
            attempts[index].ownPrice = overrides.first { $0.id == attempts[index].override }
        }
        transfers = try await transaction.query(
            """
            SELECT debit, credit, amount_nano FROM ledger_transfers
            WHERE batch_id = \(batch) AND org_id = \(organization) ORDER BY debit, credit
            """
        ).decode((String, String, Int64).self).map { Transfer(debit: $0, credit: $1, amount: $2) }
    }
}

extension Receipt.Attempt {
    fileprivate init(_ row: PostgresRow) throws {
        provider = try row.decode(String.self, "provider")
        model = try row.decode(String.self, "model")
        isOwnKey = try row.decode(Bool.self, "is_own_key")
        isEstimated = try row.decode(Bool.self, "is_estimated")
        var usage = ChatUsage(
            input: try row.decode(Int.self, "input"), cacheRead: try row.decode(Int.self, "cache_read"),
            cacheWrite: try row.decode(Int.self, "cache_write"),
            cacheWriteHour: try row.decode(Int.self, "cache_write_hour"),
            audioInput: try row.decode(Int.self, "audio_input"), output: try row.decode(Int.self, "output"),
            reasoning: try row.decode(Int.self, "reasoning"),
            audioOutput: try row.decode(Int.self, "audio_output"))
        usage.imageInput = try row.decode(Int.self, "image_input")
        usage.imageOutput = try row.decode(Int.self, "image_output")
        self.usage = usage
        images = try row.decode(Int.self, "images")
        priceFrom = try row.decode(Timestamp?.self, "price_from")
        override = try row.decode(UUID?.self, "price_override")
        ownPrice = nil
        cost = try row.decode(Int64?.self, "cost_nano")
        commission = try row.decode(Int64.self, "commission_nano")
        charge = try row.decode(Int64.self, "charge_nano")
    }
}
