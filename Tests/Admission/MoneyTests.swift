import Base
import Loop
import TestKit
import Testing

@testable import Admission

/// Money that is held, spent and given back, in a Redis and a database that are well.
struct MoneyTests {
    @Test func `what was held and not needed is there for the next one`() async throws {
        try await withMoney { world in
            let budget = try await world.makeLimit(dollar)
            try await world.workers[0].run { worker in
                let permit = try #require(await world.admit(worker, [budget], 60 * cent).permit)
                #expect(permit.money?.nanodollars == 60 * cent && permit.money?.isDirect == false)
                let other = await world.admit(worker, [budget], 60 * cent).shortage
                #expect(other == Shortage(budget, .heldByOthers, affordable: 40 * cent))
                await worker.gatekeeper.settle(permit, tokens: 0, cost: 10 * cent, journal: Array("a".utf8))
                let third = try #require(await world.admit(worker, [budget], 60 * cent).permit)
                worker.gatekeeper.settle(third, tokens: 0)
                #expect(await world.admit(worker, [budget], 90 * cent).permit != nil)
            }
            let account = try await world.account(budget)
            #expect(account.granted == dollar && account.open == dollar && account.settled == 0)
            #expect(account.held == 90 * cent && account.left == 0)
            #expect(try await world.journal() == ["a"])
            #expect(world.counter("hivegate_holds_total") == 3)
            #expect(world.counter("hivegate_hold_breaches_total") == 0)
        }
    }

    @Test func `who is refused is told what stands in the way, and how much would pass`() async throws {
        try await withMoney { world in
            let wallet = try await world.makeLimit(5 * dollar, wallet: true)
            let budget = try await world.makeLimit(dollar)
            let own = try await world.makeLimit(30 * cent, of: .user(.make()))
            let over = try await world.makeLimit(dollar, of: .key(.make()), endsIn: .seconds(-1))
            let foreign = UUID.make()
            try await world.found(foreign)
            let others = try await world.makeLimit(dollar, at: foreign)
            try await world.workers[0].run { worker in
                func shortage(_ limits: [MoneyLimit], _ amount: Int64) async -> Shortage? {
                    await world.admit(worker, limits, amount).shortage
                }
                let all = [wallet, budget, own]
                #expect(await shortage(all, 31 * cent) == Shortage(own, .neverFits, affordable: 30 * cent))
                let permit = try #require(await world.admit(worker, all, 20 * cent).permit)
                #expect(await shortage(all, 20 * cent) == Shortage(own, .heldByOthers, affordable: 10 * cent))
                await worker.gatekeeper.settle(permit, tokens: 0, cost: 20 * cent, journal: nil)
                #expect(await shortage(all, 20 * cent) == Shortage(own, .spent, affordable: 10 * cent))
                #expect(await shortage([over], cent) == Shortage(over, .spent, affordable: 0))
                #expect(await shortage([others], cent) == Shortage(others, .spent, affordable: 0))
                #expect(
                    await shortage([wallet, budget], .max) == Shortage(wallet, .neverFits, affordable: 0))
                // What costs nothing is let in by those that have nothing.
                #expect(await world.admit(worker, [over], 0).permit?.money != nil)
                #expect(await world.admit(worker, [], 5 * cent).permit.map { $0.money == nil } == true)
            }
            #expect(try await world.account(others) == MoneyWorld.Account(settled: 0, granted: 0, open: 0))
        }
    }

    @Test func `who is refused by one limit has changed nothing at any`() async throws {
        try await withMoney { world in
            let wallet = try await world.makeLimit(5 * dollar, wallet: true)
            let budget = try await world.makeLimit(dollar)
            let own = try await world.makeLimit(10 * cent, of: .user(.make()))
            let limits = [wallet, budget, own]
            try await world.workers[0].run { worker in
                let permit = try #require(await world.admit(worker, limits, 4 * cent).permit)
                await worker.gatekeeper.settle(permit, tokens: 0, cost: 3 * cent, journal: nil)
            }
            func everything() async throws -> [MoneyWorld.Account] {
                var accounts: [MoneyWorld.Account] = []
                for limit in limits { accounts.append(try await world.account(limit)) }
                return accounts
            }
            let accounts = try await everything()
            let fields = try await world.fields()
            try await world.workers[0].run { worker in
                // One would need more from the wallet and the budget, too; one only of its own.
                for amount in [9 * cent, 8 * cent] {
                    #expect(await world.admit(worker, limits, amount).shortage?.limit == own)
                }
                // A window that is full refuses before anything is held.
                let full = Limits(requests: .init(day: 0))
                #expect(await world.admit(worker, limits, cent, full).refusal != nil)
            }
            #expect(try await everything() == accounts)
            #expect(try await world.fields() == fields)
        }
    }

    @Test func `what costs more than was held is taken all the same, and the next grant makes it good`()
        async throws
    {
        try await withMoney { world in
            let wallet = try await world.makeLimit(dollar, wallet: true)
            try await world.workers[0].run { worker in
                let permit = try #require(await world.admit(worker, [wallet], 10 * cent).permit)
                await worker.gatekeeper.settle(permit, tokens: 0, cost: 40 * cent, journal: nil)
                await worker.gatekeeper.settle(permit, tokens: 0, cost: 40 * cent, journal: nil)
            }
            #expect(world.counter("hivegate_hold_breaches_total") == 1)
            #expect(try await world.account(wallet).left == -30 * cent)
            try await world.workers[0].run { worker in
                #expect(await world.admit(worker, [wallet], 61 * cent).shortage?.affordable == 60 * cent)
                #expect(await world.admit(worker, [wallet], 60 * cent).permit != nil)
            }
            let account = try await world.account(wallet)
            #expect(account.granted == dollar && account.left == 0 && account.held == 60 * cent)
        }
    }

    @Test func `a wallet that is filled pays at once`() async throws {
        try await withMoney { world in
            let wallet = try await world.makeLimit(cent, wallet: true)
            try await world.workers[0].run { worker in
                #expect(await world.admit(worker, [wallet], 2 * cent).shortage?.reason == .neverFits)
                try await world.setCap(2 * cent, of: wallet)
                #expect(await world.admit(worker, [wallet], 2 * cent).permit != nil)
            }
        }
    }

    @Test func `who goes away while the database is asked takes nobody's money along`() async throws {
        try await withMoney { world in
            let wallet = try await world.makeLimit(50 * dollar, wallet: true)
            let worker = world.workers[0]
            let (first, others) = try await world.lock(wallet) {
                let first = Task(executorPreference: worker.loop) {
                    await world.admit(worker, [wallet], 10 * cent).permit
                }
                try await worker.run { worker in
                    try await eventually(worker.loop) {
                        worker.gatekeeper.treasury?.fundings.isEmpty == false
                    }
                }
                let others = (0..<10).map { _ in
                    Task(executorPreference: worker.loop) {
                        await world.admit(worker, [wallet], 10 * cent).permit != nil
                    }
                }
                try await worker.run { try await $0.loop.sleep(for: .milliseconds(20)) }
                first.cancel()
                return (first, others)
            }
            for other in others { #expect(await other.value) }
            if let permit = await first.value {
                try await worker.run { $0.gatekeeper.settle(permit, tokens: 0) }
            }
            try await world.settleAll()
            #expect(try await world.account(wallet).held == dollar)
        }
    }

    @Test func `a database that takes too long is not waited for, and what it gave late is returned`()
        async throws
    {
        var bounds = patientBounds
        bounds.patienceWithMoney = .milliseconds(50)
        try await withMoney(1, bounds) { world in
            let wallet = try await world.makeLimit(dollar, wallet: true)
            try await world.lock(wallet) {
                let verdicts = try await crowd(of: 10, at: world.workers) { worker, _ in
                    await world.admit(worker, [wallet], cent).shortage?.reason
                }
                #expect(verdicts.allSatisfy { $0 == .unavailable })
            }
            try await world.settleAll()
            #expect(try await world.account(wallet) == MoneyWorld.Account(settled: 0, granted: 0, open: 0))
            try await world.workers[0].run { worker in
                try await eventually(worker.loop) {
                    await world.admit(worker, [wallet], dollar).permit != nil
                }
            }
        }
    }

    @Test func `a hundred who come at once take a few slices, not a hundred`() async throws {
        try await withMoney { world in
            let wallet = try await world.makeLimit(50 * dollar, wallet: true)
            let verdicts = try await crowd(of: 100, at: world.workers) { worker, _ in
                await world.admit(worker, [wallet], 10 * cent).permit != nil
            }
            #expect(verdicts.allSatisfy { $0 })
            #expect(try await world.grantCount(wallet) <= 3)
            #expect(try await world.account(wallet).held == 10 * dollar)
        }
    }
}
