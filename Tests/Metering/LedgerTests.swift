import Base
import Ledger
import Postgres
import Testing

@testable import Metering

/// The books of money, against a real PostgreSQL.
struct LedgerTests {
    private func post(_ transfers: [LedgerTransfer], _ world: MeteringWorld) async throws -> Set<UUID> {
        try await world.pool.transaction { transaction in
            _ = try await transaction.query("SELECT set_config('app.system', 'on', true)")
            return try await Ledger.post(transfers, in: transaction)
        }
    }

    private func topUp(_ amount: Int64, _ world: MeteringWorld, _ reference: String?) -> LedgerTransfer {
        LedgerTransfer(
            of: world.organization, debit: .cash, credit: .wallet, nanodollars: amount, reason: "top_up",
            reference: reference)
    }

    @Test func `what a transfer takes from one account it gives to another`() async throws {
        try await MeteringWorld.with { world in
            let transfers = [
                topUp(5 * dollar, world, "one"), topUp(2 * dollar, world, nil), topUp(dollar, world, nil),
            ]
            let booked = try await post(transfers, world)
            #expect(booked == Set(transfers.map(\.id)))
            let (balances, entries) = try await world.pool.transaction(tenant: world.organization) {
                (
                    try await Ledger.balances(of: world.organization, in: $0),
                    try await Ledger.entries(of: world.organization, behind: nil, most: 2, in: $0)
                )
            }
            #expect(balances == [.wallet: 8 * dollar, .cash: -8 * dollar])
            #expect(entries.count == 2)
            let rest = try await world.pool.transaction(tenant: world.organization) {
                try await Ledger.entries(
                    of: world.organization, behind: (entries[1].at, entries[1].transfer.id), most: 2, in: $0)
            }
            #expect(Set((entries + rest).map(\.transfer.id)) == Set(transfers.map(\.id)))
        }
    }

    @Test func `the same payment is booked once`() async throws {
        try await MeteringWorld.with { world in
            let first = topUp(dollar, world, "pi_1")
            let (new, again) = (
                try await post([first], world), try await post([topUp(dollar, world, "pi_1")], world)
            )
            #expect(new == [first.id] && again == [])
            #expect(try await world.balance("wallet") == dollar)
        }
    }

    @Test func `nobody takes more from a wallet than is in it`() async throws {
        try await MeteringWorld.with { world in
            _ = try await post([topUp(dollar, world, nil)], world)
            let refund = LedgerTransfer(
                of: world.organization, debit: .wallet, credit: .refunds, nanodollars: dollar + 1,
                reason: "refund",
                reference: "re_1")
            let error = await #expect(throws: PostgresError.self) { try await self.post([refund], world) }
            #expect(error?.kind == .checkViolation(constraint: "ledger_accounts_floor"))
            #expect(try await world.balance("wallet") == dollar)
        }
    }
}
