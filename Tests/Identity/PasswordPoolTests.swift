import Base
import Glibc
import Identity
import Loop
import TestKit
import Testing

struct PasswordPoolTests {
    private static let right = Secret("correct horse")

    /// A queue whose only thread is held until the test lets it go.
    // What is written is behind a lock; the rest never changes.
    private final class Held: @unchecked Sendable {
        let queue: PasswordPoolQueue
        let gate = Semaphore()
        let order = Locked<[Int]>([])

        init(capacity: Int) { queue = PasswordPoolQueue(threads: 1, capacity: capacity) }

        func hold(on loop: EventLoop) -> Task<Void, Never> {
            loop.spawn { [self] in _ = try? await queue.run(on: loop) { self.gate.wait() } }
        }

        func submit(_ number: Int, on loop: EventLoop) -> Task<Void, Never> {
            loop.spawn { [self] in
                _ = try? await queue.run(on: loop) { self.order.withLock { $0.append(number) } }
            }
        }

        var done: [Int] { order.withLock { $0 } }
    }

    /// Everything that is ready has run after this.
    private func settle(_ loop: EventLoop) async throws { try await loop.sleep(for: .milliseconds(20)) }

    @Test func `a password matches its hash and no other, from any number of callers at once`() async throws {
        try await onLoop { loop in
            let pool = PasswordPool(threads: 2, capacity: 20)
            let hash = try await pool.hash(Self.right, on: loop)
            #expect(!hash.needsRehash)
            let answers = try await withThrowingTaskGroup(of: (Int, Bool).self) { group in
                for number in 0..<12 {
                    group.addTask {
                        let password = number % 3 == 0 ? Self.right : Secret("wrong \(number)")
                        return (number, try await pool.matches(password, hash, on: loop))
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(answers == Dictionary(uniqueKeysWithValues: (0..<12).map { ($0, $0 % 3 == 0) }))
            pool.close()
        }
    }

    @Test func `an unknown user costs what a wrong password costs`() async throws {
        try await onLoop { loop in
            let pool = PasswordPool(threads: 1, capacity: 4)
            let hash = try await pool.hash(Self.right, on: loop)
            let attempts: [(String, PasswordHash?)] = [
                ("wrong password", hash), ("unknown user", nil),
                ("unreadable hash", PasswordHash(stored: "$argon2id$test")), ("right password", hash),
            ]
            for (name, hash) in attempts {
                let before = PasswordPool.computedCount
                let isRight = name == "right password"
                let password = isRight ? Self.right : Secret("wrong")
                let answer = try await pool.matches(password, hash, on: loop)
                #expect(answer == isRight, "\(name)")
                #expect(PasswordPool.computedCount - before == 1, "\(name)")
            }
            pool.close()
        }
    }

    @Test func `whoever comes when the queue is full is told to come again`() async throws {
        try await onLoop { loop in
            let held = Held(capacity: 2)
            var tasks = [held.hold(on: loop), held.submit(1, on: loop), held.submit(2, on: loop)]
            try await settle(loop)
            let refusal = await #expect(throws: Problem.self) { try await held.queue.run(on: loop) { 3 } }
            #expect(refusal?.kind == .rateLimited)
            #expect(refusal?.code == "too_many_logins")
            #expect(refusal?.retryAfterSeconds == 1)
            held.gate.signal()
            for task in tasks { await task.value }
            // There is room again.
            tasks = [held.submit(4, on: loop)]
            for task in tasks { await task.value }
            #expect(held.done == [1, 2, 4])
            held.queue.close()
        }
    }

    @Test func `a caller who leaves frees the place, and the work is not done`() async throws {
        try await onLoop { loop in
            let held = Held(capacity: 1)
            let first = held.hold(on: loop)
            let leaving = held.submit(1, on: loop)
            try await settle(loop)
            await #expect(throws: Problem.self) { try await held.queue.run(on: loop) { 0 } }
            leaving.cancel()
            await leaving.value
            let next = held.submit(2, on: loop)
            try await settle(loop)
            held.gate.signal()
            await first.value
            await next.value
            #expect(held.done == [2])
            held.queue.close()
        }
    }

    @Test func `a caller who leaves while the work is being done takes no thread along`() async throws {
        try await onLoop { loop in
            let held = Held(capacity: 1)
            let first = held.hold(on: loop)
            try await settle(loop)
            first.cancel()
            await first.value
            let next = held.submit(1, on: loop)
            try await settle(loop)
            #expect(held.done == [])
            held.gate.signal()
            await next.value
            #expect(held.done == [1])
            held.queue.close()
        }
    }

    @Test func `who comes first is served first`() async throws {
        try await onLoop { loop in
            let held = Held(capacity: 20)
            var tasks = [held.hold(on: loop)]
            for number in 0..<20 { tasks.append(held.submit(number, on: loop)) }
            try await settle(loop)
            tasks[6].cancel()
            try await settle(loop)
            held.gate.signal()
            for task in tasks { await task.value }
            #expect(held.done == (0..<20).filter { $0 != 5 })
            held.queue.close()
        }
    }

    @Test func `the work is done at the lowest priority, where nothing but its own timer interrupts it`()
        async throws
    {
        try await onLoop { loop in
            let queue = PasswordPoolQueue(threads: 2, capacity: 0)
            for _ in 0..<4 {
                let (stat, status) = try await queue.run(on: loop) {
                    (Self.text(of: "/proc/thread-self/stat"), Self.text(of: "/proc/thread-self/status"))
                }
                let (name, fields) = Self.fields(stat)
                #expect(name.hasPrefix("password-"))
                #expect(fields[16] == "19", "the nice value")
                #expect(fields[38] == "3", "the policy, SCHED_BATCH")
                // All but SIGURG that can be blocked: neither SIGKILL, SIGSTOP nor the two that are glibc's own.
                #expect(status.contains("SigBlk:\tfffffffe7fbbfeff"))
            }
            // Those who serve requests are as they were.
            #expect(Self.fields(Self.text(of: "/proc/thread-self/stat")).1[16] == "0")
            let dispatchers = Self.threads().filter { $0.0 == "password-queue" }
            #expect(!dispatchers.isEmpty)
            for (_, fields) in dispatchers { #expect(fields[16] == "0") }
            queue.close()
        }
    }

    @Test func `a pool that is closed sends its callers away and leaves no thread behind`() async throws {
        try await onLoop { loop in
            let held = Held(capacity: 2)
            let first = held.hold(on: loop)
            let waiting = loop.spawn {
                await #expect(throws: Problem.self) { try await held.queue.run(on: loop) { 1 } }
            }
            try await settle(loop)
            held.queue.close()
            await waiting.value
            let refusal = await #expect(throws: Problem.self) { try await held.queue.run(on: loop) { 2 } }
            #expect(refusal?.kind == .unavailable)
            held.gate.signal()
            await first.value

            let pool = PasswordPool(threads: 2, capacity: 1)
            _ = try await pool.hash(Self.right, on: loop)
            pool.close()
            var remaining: [String] = []
            for _ in 0..<500 {
                remaining = Self.threads().map(\.0).filter { $0.hasPrefix("password-") }
                if remaining.isEmpty { break }
                try await loop.sleep(for: .milliseconds(10))
            }
            #expect(remaining == [])
        }
    }

    @Test func `long work is interrupted again and again, so that others get the processor`() async throws {
        try await onLoop { loop in
            let queue = PasswordPoolQueue(threads: 1, capacity: 0)
            let interruptions = try await queue.run(on: loop) {
                (0..<5).filter { _ in poll(nil, 0, 5000) == -1 && errno == EINTR }.count
            }
            #expect(interruptions == 5)
            queue.close()
        }
    }

    @Test func `a thread rests between two pieces of work, longer than the first has taken`() async throws {
        try await onLoop { loop in
            let queue = PasswordPoolQueue(threads: 1, capacity: 1)
            let first = try await queue.run(on: loop) {
                let start = Instant.now()
                while Instant.now() - start < .milliseconds(10) {}
                return (start: start, end: Instant.now())
            }
            let next = try await queue.run(on: loop) { Instant.now() }
            #expect(next - first.end >= (first.end - first.start) * 2)
            queue.close()
        }
    }

    @Test func `an imported PBKDF2 hash lets its owner in, and asks to be replaced`() async throws {
        let salt = Random.bytes(16)
        let imported = PBKDF2.sha256(Array("correct horse".utf8), salt: salt, iterations: 1000, length: 32)
        let hash = try #require(PasswordHash(wrappingPBKDF2: imported, salt: salt, iterations: 1000))
        #expect(hash.text.hasPrefix("$argon2id-pbkdf2$i=1000,l=32$"))
        #expect(!hash.text.contains(Base64.encodeUnpadded(imported)))
        #expect(hash.needsRehash)
        try await onLoop { loop in
            let pool = PasswordPool(threads: 1, capacity: 4)
            let stored = PasswordHash(stored: hash.text)
            #expect(try await pool.matches(Self.right, stored, on: loop))
            #expect(try await !pool.matches(Secret("correct horsf"), stored, on: loop))
            // The imported hash is no password.
            #expect(
                try await !pool.matches(
                    Secret(String(decoding: imported, as: UTF8.self)), stored, on: loop))
            let replaced = try await pool.hash(Self.right, on: loop)
            #expect(!replaced.needsRehash)
            pool.close()
        }
        #expect(PasswordHash(wrappingPBKDF2: imported, salt: salt, iterations: 0) == nil)
        #expect(PasswordHash(wrappingPBKDF2: imported, salt: salt, iterations: 2_000_001) == nil)
        #expect(PasswordHash(wrappingPBKDF2: [1], salt: salt, iterations: 1000) == nil)
        #expect(PasswordHash(wrappingPBKDF2: imported, salt: [], iterations: 1000) == nil)
    }

    /// Made with the reference implementation's `argon2id_hash_encoded`.
    @Test func `a hash with other parameters is understood, and asks to be replaced`() {
        let other = PasswordHash(stored: Self.cheaper)
        #expect(other.matches(Secret("password")))
        #expect(!other.matches(Secret("passwore")))
        #expect(other.needsRehash)
        #expect(!PasswordHash(of: Self.right).needsRehash)
        #expect(!"\(other)".contains("argon2"))
    }

    private static let cheaper =
        "$argon2id$v=19$m=4096,t=3,p=2$c29tZXNhbHQxNmJ5dGVzIQ$olTamQYoxYymf2BvhZWL+G2SA8/rHTF2"

    @Test(arguments: [
        "", "$", "argon2id", "$argon2id$test", "$argon2i$v=19$m=64,t=2,p=1$SALT$HASH",
        "$argon2id$v=16$m=64,t=2,p=1$SALT$HASH", "$argon2id$m=64,t=2,p=1$SALT$HASH",
        "$argon2id$v=19$m=4194304,t=2,p=1$SALT$HASH", "$argon2id$v=19$m=64,t=9999,p=1$SALT$HASH",
        "$argon2id$v=19$m=7,t=2,p=1$SALT$HASH", "$argon2id$v=19$m=64,t=2,p=0$SALT$HASH",
        "$argon2id$v=19$m=+64,t=2,p=1$SALT$HASH", "$argon2id$v=19$t=2,m=64,p=1$SALT$HASH",
        "$argon2id$v=19$m=64,t=2,p=1$SALT$HASH$", "$argon2id$v=19$m=64,t=2,p=1$c2FsdA$HASH",
        "$argon2id$v=19$m=64,t=2,p=1$SALT$aGFzaA",
        "$argon2id-pbkdf2$i=99999999,l=32$SALT$v=19$m=64,t=2,p=1$SALT$HASH",
        "$argon2id-pbkdf2$SALT$v=19$m=64,t=2,p=1$SALT$HASH",
    ])
    func `a text that is no hash within bounds matches nothing, at no cost`(text: String) {
        let text = text.replacing("SALT", with: Base64.encodeUnpadded([UInt8](repeating: 1, count: 16)))
            .replacing("HASH", with: Base64.encodeUnpadded([UInt8](repeating: 2, count: 32)))
        let before = PasswordPool.computedCount
        #expect(!PasswordHash(stored: text).matches(Self.right))
        #expect(PasswordHash(stored: text).needsRehash)
        #expect(PasswordPool.computedCount == before)
    }

    // MARK: What the kernel says of threads

    private static func text(of path: String) -> String {
        String(decoding: Files.read(path) ?? [], as: UTF8.self)
    }

    /// A thread's name, and what `proc(5)` lists after it: the nice value is the 17th, the policy the 39th.
    private static func fields(_ stat: String) -> (String, [Substring]) {
        guard let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")") else {
            return ("", [])
        }
        return (
            String(stat[stat.index(after: open)..<close]), stat[close...].dropFirst().split(separator: " ")
        )
    }

    private static func threads() -> [(String, [Substring])] {
        guard let folder = opendir("/proc/self/task") else { return [] }
        defer { closedir(folder) }
        var threads: [(String, [Substring])] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            let (thread, fields) = fields(text(of: "/proc/self/task/\(name)/stat"))
            // A thread may end between the two.
            if fields.count > 38 { threads.append((thread, fields)) }
        }
        return threads
    }
}
