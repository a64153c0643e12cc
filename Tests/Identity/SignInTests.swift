import Base
import Glibc
import Identity
import Loop
import Redis
import TestKit
import Testing

struct SignInTests {
    @Test func `whoever finds no room to sign in is sent away before anything is counted against them`()
        async throws
    {
        try await KeyWorld.run { world in
            let process = try await world.process()
            let pool = PasswordPool(threads: 1, capacity: 3)
            let signIn = SignIn(
                on: world.loop, world.store, passwords: pool, throttle: LoginThrottle(process.redis))
            let attempt = SignIn.Attempt(
                email: "ann@acme.example", password: Secret("a wrong password"),
                origin: IdentityStore.SessionOrigin(.tokens, address: "192.0.2.7"))
            let others = (0..<4).map { _ in
                world.loop.spawn { _ = try? await pool.hash(Secret("a password"), on: world.loop) }
            }
            while (try? pool.checkRoom()) != nil { await Task.yield() }
            let full = await #expect(throws: Problem.self) { try await signIn.begin(attempt) }
            #expect(full?.code == "too_many_logins")
            #expect(try await Self.countedNames(process.redis) == 0)

            for other in others { await other.value }
            let wrong = await #expect(throws: Problem.self) { try await signIn.begin(attempt) }
            #expect(wrong?.code == "invalid_credentials")
            #expect(try await Self.countedNames(process.redis) == 2)
            pool.close()
            await process.close()
        }
    }

    @Test func `a process that has hashed can give the memory back, and hash again`() async throws {
        try await onLoop { loop in
            let pool = PasswordPool(threads: 1, capacity: 0)
            for _ in 0..<2 {
                let hash = try await pool.hash(Secret("a password"), on: loop)
                let before = Self.residentBytes()
                PasswordPool.giveBackMemory()
                #expect(before - Self.residentBytes() > 15 << 20)
                #expect(try await pool.matches(Secret("a password"), hash, on: loop))
            }
            pool.close()
        }
    }

    /// The account's failures and the address's.
    private static func countedNames(_ redis: RedisClient) async throws -> Int {
        try await redis.send(RedisCommand("DBSIZE"), timeout: KeyWorld.patience).integer ?? -1
    }

    private static func residentBytes() -> Int {
        let text = String(decoding: Files.read("/proc/self/statm") ?? [], as: UTF8.self)
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
