import Base
import Gateway
import Glibc
import Identity
import Loop
import Postgres
import Testing

/// Requests of one organization's people, made up from the route table and strewn with what names another. Whatever they
/// say, nothing of the other organization may come back, and nothing of it may change.
///
/// `FULL=1` sends a million instead of a hundred thousand, `REQUESTS` as many as it says; `SEED` repeats a run.
struct CrossTenantFuzzTests {
    /// Under way at once.
    private static let width = 24

    @Test func `no request of one organization reads or writes another, whatever it is made of`() async throws
    {
        let count = Int(Self.setting("REQUESTS") ?? (Self.setting("FULL") == 1 ? 1_000_000 : 100_000))
        let seed = Self.setting("SEED") ?? .random(in: 0...UInt64(UInt32.max))
        print("\(count) requests from seed \(seed)")
        try await ManagementWorld.run { world in
            try await world.liftPlans()
            let other = try await Cast.make(in: world)
            let before = try await other.fingerprint(world)
            let run = try await Self.attack(other, in: world, count: count, seed: seed)
            #expect(run.leaks == [])
            #expect(try await other.fingerprint(world) == before)
            // They were not all refused at the door, and none broke anything.
            let statuses = run.statuses.sorted { $0.key < $1.key }
            for status in [200, 201, 204, 403, 404, 422] {
                #expect(run.statuses[status, default: 0] > count / 1000, "\(statuses)")
            }
            #expect(run.faults == [])
        }
    }

    @Test func `the same requests find a table that the database does not guard`() async throws {
        try await ManagementWorld.run { world in
            try await world.liftPlans()
            let other = try await Cast.make(in: world)
            let before = try await other.fingerprint(world)
            try await world.owner.execute("ALTER TABLE api_keys DISABLE ROW LEVEL SECURITY")
            // About one in a thousand reads what stands in it, and fewer write it.
            var (hasRead, hasWritten, round) = (false, false, UInt64(0))
            while !(hasRead && hasWritten), round < 20 {
                let leaks = try await Self.attack(other, in: world, count: 5000, seed: round).leaks
                hasRead = hasRead || !leaks.isEmpty
                hasWritten = try await other.fingerprint(world) != before
                round += 1
            }
            #expect(hasRead && hasWritten)
        }
    }

    private static func setting(_ name: String) -> UInt64? {
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }

    private static func attack(
        _ other: Cast, in world: ManagementWorld, count: Int, seed: UInt64
    ) async throws -> Run {
        let run = Run(world: world, other: other, cast: try await Cast.make(in: world))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<width {
                group.addTask {
                    var fuzzer = RequestFuzzer(seed: seed &+ UInt64(index), other: other)
                    for _ in 0..<count / width { try await run.one(&fuzzer) }
                }
            }
            try await group.waitForAll()
        }
        return run
    }

    /// What all tasks of the run share.
    // Confined to the world's loop.
    private final class Run: @unchecked Sendable {
        private let world: ManagementWorld
        private let other: Cast
        private var cast: Cast
        private(set) var leaks: [String] = []
        private(set) var faults: [String] = []
        private(set) var statuses: [Int: Int] = [:]
        private var isRenewing = false

        init(world: ManagementWorld, other: Cast, cast: Cast) {
            self.world = world
            self.other = other
            self.cast = cast
        }

        func one(_ fuzzer: inout RequestFuzzer) async throws {
            let request = fuzzer.next(for: cast)
            var answer = try await send(request)
            // A machine that stands still for a second is no fault of ours: who is told to come back does so.
            if answer.status == 503 { answer = try await send(request) }
            statuses[answer.status, default: 0] += 1
            if answer.text.contains(other.canary) {
                leaks.append("\(request.method) \(request.path) → \(answer.text.prefix(300))")
            }
            // 502: somebody has named an identity provider that is not there, and somebody else goes to it.
            if answer.status >= 500, answer.status != 502 {
                faults.append(
                    "\(request.method) \(request.path) → \(answer.status) \(answer.text.prefix(300))")
            }
            if answer.status == 401, request.isKnown { try await renew() }
        }

        private func send(_ request: RequestFuzzer.Request) async throws -> ManagementWorld.Answer {
            try await world.send(
                request.method, request.path, as: request.credential, request.body, fields: request.fields)
        }

        /// Somebody has ended what the others need: others come.
        private func renew() async throws {
            guard !isRenewing else { return }
            isRenewing = true
            cast = try await Cast.make(in: world)
            isRenewing = false
        }
    }
}
