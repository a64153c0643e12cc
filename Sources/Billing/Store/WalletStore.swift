package import Base
package import Identity
import JSON
import Ledger
package import Postgres

/// What an organization has paid ahead, or was given, and what is left of it.
///
/// Its wallet is a limit on its money, whose cap is all that ever came in: what is left of that is what the books have for it
/// (cap - settled = wallet + promo - what it has overspent). Whoever changes the one changes the other in the same transaction.
package struct WalletStore: Sendable {
    package let pool: PostgresPool
    let identity: IdentityStore

    /// 100,000,000 dollars: nobody pays more at once, or has more.
    package static let most: Int64 = 100_000_000_000_000_000
    /// Grants that are told of.
    package static let mostGrants = 1000

    package init(_ pool: PostgresPool, identity: IdentityStore) {
        self.pool = pool
        self.identity = identity
    }

    /// How a wallet stands. Whoever changed it announces `keyChange` before they answer.
    package struct Change: Equatable, Sendable {
        package var balance: Balance
        package var keyChange: KeyChange?
    }

    /// In nano-dollars.
    package struct Balance: Equatable, Sendable {
        package var wallet: Int64 = 0
        package var promo: Int64 = 0
        /// Owed: below nothing.
        package var receivable: Int64 = 0
        /// What gateways hold to spend.
        package var granted: Int64 = 0
        package var cap: Int64 = 0
        package var settled: Int64 = 0
        /// nil: there never was one.
        package var limit: UUID?

        /// Neither spent nor granted.
        package var free: Int64 { max(0, cap - settled - granted) }

        /// Used beyond what there was, or taken back when it was spent: owed, and paid by what comes in first.
        var overspent: Int64 { limit == nil ? 0 : max(0, wallet + promo + settled - cap) }
    }

    package func balance(of organization: UUID) async throws -> Balance {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await Self.balance(of: organization, transaction)
        }
    }

    // MARK: What comes in

    /// One of the three that follow: of which organization, how much, with which reference, by whom.
    package typealias Booking =
        @Sendable (WalletStore) -> @Sendable (UUID, Int64, String, Actor) async throws -> Change

    /// Money that has come in: once for each reference. What was overspent is paid first.
    package func topUp(
        _ organization: UUID, by nanodollars: Int64, reference: String, by actor: Actor
    ) async throws -> Change {
        try await change(organization, by: nanodollars, "top_up", reference, by: actor) { before, unasked in
            let owed = min(before.overspent, unasked, nanodollars)
            return [(.cash, .wallet, nanodollars), (.wallet, .receivable, owed)]
        }
    }

    /// Money that is given: the platform pays for it.
    package func credit(
        _ organization: UUID, by nanodollars: Int64, reference: String, by actor: Actor
    ) async throws -> Change {
        try await change(organization, by: nanodollars, "promo", reference, by: actor) { _, _ in
            [(.writeOff, .promo, nanodollars)]
        }
    }

    /// Gives back what was paid. What is spent, given by us, or in use at the moment is not given back.
    package func refund(
        _ organization: UUID, by nanodollars: Int64, reference: String, by actor: Actor
    ) async throws -> Change {
        try await change(organization, by: -nanodollars, "refund", reference, by: actor) { before, _ in
            guard nanodollars <= min(before.wallet, before.free) else {
                throw Problem.tooMuchRefunded(before.granted > 0 && nanodollars <= before.wallet)
            }
            return [(.wallet, .refunds, nanodollars), (.refunds, .cash, nanodollars)]
        }
    }

    /// Takes back what whoever paid has got back. What is not in the wallet any more is owed, and until that is paid the
    /// wallet pays for nothing.
    ///
    /// - Parameter account: through which it goes: refunds or disputes.
    func takeBack(
        _ organization: UUID, by nanodollars: Int64, through account: LedgerAccount, _ reason: String,
        reference: String
    ) async throws -> Change {
        try await change(organization, by: -nanodollars, reason, reference, by: .system) { before, _ in
            let taken = min(before.wallet, nanodollars)
            return [
                (.wallet, account, taken), (.receivable, account, nanodollars - taken),
                (account, .cash, nanodollars),
            ]
        }
    }

    /// What was taken back has come in after all.
    func giveBack(
        _ organization: UUID, by nanodollars: Int64, through account: LedgerAccount, _ reason: String,
        reference: String
    ) async throws -> Change {
        try await change(organization, by: nanodollars, reason, reference, by: .system) { before, unasked in
            let owed = min(before.overspent, unasked, nanodollars)
            return [
                (.cash, account, nanodollars), (account, .wallet, nanodollars), (.wallet, .receivable, owed),
            ]
        }
    }

    /// An invoice for use is paid: what of it was overspent is not any more. Whoever calls has the account to themselves.
    static func settleOverspent(
        _ nanodollars: Int64, of organization: UUID, _ transaction: PostgresTransaction
    ) async throws {
        if nanodollars == 0 { return }
        let isThere = try await transaction.query(
            """
            SELECT FROM money_limits WHERE org_id = \(organization) AND kind = 'wallet' AND subject = 'organization'
            FOR NO KEY UPDATE
            """)
        if isThere.isEmpty { return }
        let before = try await balance(of: organization, transaction)
        let settled = min(nanodollars, before.overspent)
        try await transaction.execute(
            "UPDATE money_limits SET cap_nano = cap_nano + \(settled) WHERE id = \(before.limit)")
    }

    /// What is owed and no open invoice asks for.
    private static func unasked(
        of organization: UUID, _ balance: Balance, _ transaction: PostgresTransaction
    ) async throws -> Int64 {
        let asked = try await transaction.query(
            """
            SELECT coalesce(sum(total_cents - paid_cents), 0)::bigint FROM invoices
            WHERE org_id = \(organization) AND status = 'open'
            """)[0].decode(Int64.self)
        return max(0, -balance.receivable - asked * USCents.nanodollars)
    }

    private typealias Move = (debit: LedgerAccount, credit: LedgerAccount, nanodollars: Int64)

    /// - Parameter change: of the cap.
    private func change(
        _ organization: UUID, by change: Int64, _ reason: String, _ reference: String, by actor: Actor,
        _ moves: (_ before: Balance, _ unasked: Int64) throws -> [Move]
    ) async throws -> Change {
        let amount = abs(change)
        precondition((1...Self.most).contains(amount), "an amount of money")
        do {
            return try await pool.transaction { transaction in
                _ = try await transaction.query("SELECT set_config('app.system', 'on', true)")
                let isNew = try await Self.lockWallet(of: organization, transaction)
                let isBooked = try await transaction.query(
                    """
                    SELECT EXISTS (SELECT FROM ledger_transfers
                        WHERE org_id = \(organization) AND reason = \(reason) AND reference = \(reference))
                    """)[0].decode(Bool.self)
                if isBooked { throw Problem.bookedAlready }
                let before = try await Self.balance(of: organization, transaction)
                let unasked = try await Self.unasked(of: organization, before, transaction)
                let transfers = try moves(before, unasked).filter { $0.nanodollars > 0 }.map {
                    LedgerTransfer(
                        of: organization, debit: $0.debit, credit: $0.credit, nanodollars: $0.nanodollars,
                        reason: reason, reference: reference)
                }
                guard before.cap + change <= Self.most else { throw Problem.walletFull }
                try await Ledger.post(transfers, in: transaction)
                try await transaction.execute(
                    "UPDATE money_limits SET cap_nano = cap_nano + \(change) WHERE id = \(before.limit)")
                var detail = JSONWriter()
                detail.object { json in
                    json.field("nanodollars", String(amount))
                    json.field("reference", reference)
                }
                try await identity.note(
                    "wallet.\(reason)", on: "organization", organization, after: detail.bytes,
                    in: organization, by: actor, transaction)
                return Change(
                    balance: try await Self.balance(of: organization, transaction),
                    // Who remembers its keys does not know that it has a wallet.
                    keyChange: isNew
                        ? try await identity.raiseKeyGeneration(of: organization, transaction) : nil)
            }
        } catch let error as PostgresError {
            if case .foreignKeyViolation = error.kind { throw Problem.notFound("organization") }
            throw error
        }
    }

    /// Locks the wallet before the books, as whoever books use does. Says whether it was made.
    private static func lockWallet(
        of organization: UUID, _ transaction: PostgresTransaction
    ) async throws -> Bool {
        let isNew = try await transaction.execute(
            """
            INSERT INTO money_limits (id, org_id, kind, subject, cap_nano)
            VALUES (\(UUID.make()), \(organization), 'wallet', 'organization', 0)
            ON CONFLICT DO NOTHING
            """)
        _ = try await transaction.query(
            """
            SELECT FROM money_limits WHERE org_id = \(organization) AND kind = 'wallet' AND subject = 'organization'
            FOR NO KEY UPDATE
            """)
        return isNew == 1
    }

    private static func balance(
        of organization: UUID, _ transaction: PostgresTransaction
    ) async throws -> Balance {
        var balance = Balance()
        let rows = try await transaction.query(
            """
            SELECT id, cap_nano, settled_nano, granted_nano FROM money_limits
            WHERE org_id = \(organization) AND kind = 'wallet' AND subject = 'organization'
            """)
        if let row = rows.first {
            let (limit, cap, settled, granted) = try row.decode((UUID, Int64, Int64, Int64).self)
            (balance.limit, balance.cap, balance.settled, balance.granted) = (limit, cap, settled, granted)
        }
        let accounts = try await Ledger.balances(of: organization, in: transaction)
        balance.wallet = accounts[.wallet] ?? 0
        balance.promo = accounts[.promo] ?? 0
        balance.receivable = accounts[.receivable] ?? 0
        return balance
    }

    // MARK: What is granted

    /// What a gateway was given to spend, and has not accounted for.
    package struct Grant: Equatable, Sendable {
        package var id: UUID
        package var limit: UUID
        package var nanodollars: Int64
        /// Its gateway is gone, and what it has spent of it is not known yet.
        package var isQuarantined: Bool
        package var at: Timestamp
    }

    /// Of an organization's wallet and budgets, the oldest first.
    package func grants(of organization: UUID) async throws -> [Grant] {
        try await pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT id, limit_id, amount_nano, state = 'quarantined', created_at FROM money_grants
                WHERE org_id = \(organization) AND closed_at IS NULL
                ORDER BY created_at, id LIMIT \(Self.mostGrants)
                """
            ).decode((UUID, UUID, Int64, Bool, Timestamp).self).map {
                Grant(id: $0.0, limit: $0.1, nanodollars: $0.2, isQuarantined: $0.3, at: $0.4)
            }
        }
    }
}

extension Problem {
    fileprivate static func tooMuchRefunded(_ isInUse: Bool) -> Problem {
        isInUse
            ? Problem(
                .conflict, code: "held_by_inflight",
                "So much is in the wallet, but requests that are under way may need it. Try again in a moment, or refund less.",
                field: "amount", retryAfterSeconds: 5)
            : Problem(
                .unprocessable, code: "refund_exceeds_wallet",
                "The wallet does not have so much that was paid for and is not spent. Refund less.",
                field: "amount")
    }

    fileprivate static let walletFull = Problem(
        .unprocessable, code: "wallet_full", "A wallet takes 100,000,000 USD at most.", field: "amount")

    static let bookedAlready = Problem(
        .conflict, code: "booked_already",
        "This was booked before with this reference. Nothing has changed.", field: "reference")
}
