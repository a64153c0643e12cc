import Base
import Loop
import Redis
import TestKit
import Testing

@testable import Admission

/// Many callers at once, who together want more than there is.
struct MoneyCrowdTests {
    private static let cap = dollar
    private static let need = 2 * cent

    @Test(.timeLimit(.minutes(5)), arguments: [2, 4])
    func `of a crowd nobody overspends, and who looks before and spends after does`(_ workerCount: Int)
        async throws
    {
        let seed = seed()
        try await withMoney(workerCount) { world in
            var naive: Int64 = 0
            for trial in 0..<20 {
                let budget = try await world.makeLimit(Self.cap, of: .user(.make()))
                let wallet = try await world.makeLimit(50 * dollar, wallet: true, of: .user(.make()))
                let about = "seed \(seed), trial \(trial)"
                let spent = try await Self.spend([wallet, budget], seed &+ UInt64(trial), world)
                let account = try await world.account(budget)
                #expect(spent <= Self.cap, "\(about): \(spent)")
                // Nobody is sent away for good while others hold what they will not need, or hardly anybody.
                #expect(spent > Self.cap * 9 / 10, "\(about): \(spent)")
                #expect(account.settled + account.granted <= Self.cap, "\(about): \(account)")
                #expect(account.granted == account.open, "\(about): \(account)")
                #expect(account.left == account.granted - spent && account.held == 0, "\(about): \(account)")
                naive = max(naive, try await Self.checkThenAct(seed &+ UInt64(trial), world))
            }
            print("the most that check-then-act spent of \(Self.cap): \(naive)")
            #expect(naive > Self.cap, "the test would not see an overspending")
        }
    }

    /// What all of them cost together.
    private static func spend(
        _ limits: [MoneyLimit], _ seed: UInt64, _ world: MoneyWorld
    ) async throws -> Int64 {
        try await crowd(of: 200, at: world.workers) { worker, number in
            var random = SeededGenerator(seed: seed &+ UInt64(number) << 32)
            while true {
                switch await world.admit(worker, limits, need) {
                case .admitted(let permit):
                    let cost = try await work(worker, &random)
                    await worker.gatekeeper.settle(permit, tokens: 0, cost: cost, journal: nil)
                    return cost
                case .unfunded(let shortage) where shortage.reason == .heldByOthers:
                    try await worker.loop.sleep(for: .milliseconds(5))
                case .unfunded(let shortage):
                    #expect(shortage.reason == .spent && shortage.limit == limits[1])
                    return 0
                default:
                    Issue.record("nothing else is limited")
                    return 0
                }
            }
        }.reduce(0, +)
    }

    private static func work(_ worker: Worker, _ random: inout SeededGenerator) async throws -> Int64 {
        try await worker.loop.sleep(for: .microseconds(Int.random(in: 0...3000, using: &random)))
        return Int64.random(in: 0...need, using: &random)
    }

    /// As it is often done: look what is left, call, then count what it cost.
    private static func checkThenAct(_ seed: UInt64, _ world: MoneyWorld) async throws -> Int64 {
        let key = "naive \(seed)"
        return try await crowd(of: 200, at: world.workers) { worker, number in
            var random = SeededGenerator(seed: seed &+ UInt64(number) << 32)
            let spent = try await worker.client.send(RedisCommand("GET", .text(key)), timeout: patience)
            guard (spent.string.flatMap { Int64($0) } ?? 0) + need <= cap else { return 0 }
            let cost = try await work(worker, &random)
            _ = try await worker.client.send(
                RedisCommand("INCRBY", .text(key), .integer(Int(cost))), timeout: patience)
            return cost
        }.reduce(0, +)
    }
}
