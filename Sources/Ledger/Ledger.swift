package import Base
package import Postgres

/// The books of money, in a transaction of whoever knows why it moves.
package enum Ledger {
    /// Books transfers, and moves the balances with them. What was booked before (the same reason, reference and accounts) is
    /// left as it is. Says which were new. Needs the scope of the instance.
    ///
    /// Throws a `checkViolation` of `ledger_accounts_floor` where a wallet would have less than nothing.
    @discardableResult
    package static func post(
        _ transfers: [LedgerTransfer], in transaction: PostgresTransaction
    ) async throws -> Set<UUID> {
        if transfers.isEmpty { return [] }
        return Set(
            try await transaction.query(
                """
                INSERT INTO ledger_transfers (id, org_id, debit, credit, amount_nano, reason, reference)
                SELECT * FROM unnest(
                    \(transfers.map(\.id)), \(transfers.map(\.organization)), \(transfers.map(\.debit.rawValue)),
                    \(transfers.map(\.credit.rawValue)), \(transfers.map(\.nanodollars)),
                    \(transfers.map(\.reason)), \(references(transfers))::text[]
                )
                ON CONFLICT ON CONSTRAINT ledger_transfers_once DO NOTHING RETURNING id
                """
            ).decode(UUID.self))
    }

    /// A reference that is missing is the transfer's own name: nothing else has that.
    private static func references(_ transfers: [LedgerTransfer]) -> [String] {
        transfers.map { $0.reference ?? $0.id.description }
    }

    /// Of an organization, in nano-dollars: what it has of each, credits less debits. What it never had is left out.
    package static func balances(
        of organization: UUID, in transaction: PostgresTransaction
    ) async throws -> [LedgerAccount: Int64] {
        let rows = try await transaction.query(
            "SELECT kind, balance_nano FROM ledger_accounts WHERE org_id = \(organization)"
        ).decode((String, Int64).self)
        return Dictionary(
            rows.compactMap { kind, balance in LedgerAccount(rawValue: kind).map { ($0, balance) } },
            uniquingKeysWith: { one, _ in one })
    }

    /// A transfer as it is in the books.
    package struct Entry: Equatable, Sendable {
        package var transfer: LedgerTransfer
        /// The usage that it pays for.
        package var batch: UUID?
        package var at: Timestamp
    }

    /// What was booked for an organization, the newest first, behind `cursor`: the last of the page before.
    package static func entries(
        of organization: UUID, behind cursor: (at: Timestamp, id: UUID)?, most: Int,
        in transaction: PostgresTransaction
    ) async throws -> [Entry] {
        let rows = try await transaction.query(
            """
            SELECT id, debit, credit, amount_nano, reason, reference, batch_id, created_at FROM ledger_transfers
            WHERE org_id = \(organization)
                AND (\(cursor == nil) OR (created_at, id) < (\(cursor?.at ?? Timestamp(microseconds: 0)), \(cursor?.id ?? UUID(high: 0, low: 0))))
            ORDER BY created_at DESC, id DESC LIMIT \(Int64(most))
            """
        ).decode((UUID, String, String, Int64, String, String?, UUID?, Timestamp).self)
        return rows.compactMap { id, debit, credit, amount, reason, reference, batch, at in
            guard let debit = LedgerAccount(rawValue: debit), let credit = LedgerAccount(rawValue: credit)
            else {
                return nil
            }
            return Entry(
                transfer: LedgerTransfer(
                    id: id, of: organization, debit: debit, credit: credit, nanodollars: amount,
                    reason: reason,
                    reference: reference), batch: batch, at: at)
        }
    }
}
