import Base
import Loop
import TestKit
import Testing

@testable import Redis

struct RedisLibraryTests {
    private static func library(answering answer: String) -> RedisLibrary {
        RedisLibrary(
            name: "test",
            source: """
                local function answer(keys, arguments)
                    return {'\(answer)', keys[1], arguments[1]}
                end
                redis.register_function('answer' .. suffix, answer)
                """)
    }

    private func command(_ library: RedisLibrary, _ argument: Int) -> RedisCommand {
        var command = RedisCommand(calling: library.function("answer"), keyCount: 1)
        command.add("key")
        command.add(argument)
        return command
    }

    private func loads(_ client: RedisClient) async throws -> Int {
        let text = try await client.send(RedisCommand("INFO", "commandstats")).string ?? ""
        guard
            let line = text.split(separator: "\r\n").first(where: { $0.hasPrefix("cmdstat_function|load:") })
        else {
            return 0
        }
        return Int(line.split(separator: ",")[0].split(separator: "=")[1]) ?? -1
    }

    @Test func `a function is loaded when it is first called and again after a flush`() async throws {
        try await withRedis { redis, client in
            let library = Self.library(answering: "one")
            let expected = RedisValue.array([.bytes(bytes("one")), .bytes(bytes("key")), .bytes(bytes("7"))])
            #expect(try await client.send(command(library, 7), using: library) == expected)
            #expect(try await client.send(command(library, 7), using: library) == expected)
            #expect(try await loads(client) == 1)
            _ = try await client.send(RedisCommand("FUNCTION", "FLUSH"))
            #expect(try await client.send(command(library, 7), using: library) == expected)
            #expect(try await loads(client) == 2)
            try await redis.kill()
            try await redis.start()
            let again = try await client.send(command(library, 7), using: library, waitsForConnection: true)
            #expect(again == expected)
        }
    }

    @Test func `a pipeline keeps its order and repeats only what was not known`() async throws {
        try await withRedis { _, client in
            let library = Self.library(answering: "one")
            let values = try await client.pipeline(
                [
                    RedisCommand("INCR", "n"), command(library, 1), RedisCommand("INCR", "n"),
                    command(library, 2),
                ],
                using: library)
            #expect(values[0] == .integer(1) && values[2] == .integer(2))
            #expect(
                values[1].array?.last == .bytes(bytes("1")) && values[3].array?.last == .bytes(bytes("2")))
        }
    }

    @Test func `a burst of calls that all miss the function loads it once`() async throws {
        try await withRedis { _, client in
            let library = Self.library(answering: "one")
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<100 {
                    group.addTask(executorPreference: client.loop) {
                        let value = try? await client.send(command(library, index), using: library)
                        #expect(value?.array?.last == .bytes(bytes("\(index)")))
                    }
                }
            }
            let count = try await loads(client)
            #expect(count == 1)
        }
    }

    @Test func `two versions live side by side`() async throws {
        try await withRedis { redis, client in
            let (old, new) = (Self.library(answering: "old"), Self.library(answering: "new"))
            #expect(old.name != new.name && old.name.hasPrefix("test_") && old.name.count == 13)
            try await withClient(redis.url, on: client.loop) { other in
                for _ in 0..<3 {
                    let first = try await client.send(command(old, 1), using: old)
                    let second = try await other.send(command(new, 1), using: new)
                    #expect(
                        first.array?.first == .bytes(bytes("old"))
                            && second.array?.first == .bytes(bytes("new")))
                }
                #expect(try await loads(client) == 2)
            }
        }
    }

    @Test func `a library that does not compile fails with Redis's reason`() async throws {
        try await withRedis { _, client in
            let library = RedisLibrary(name: "test", source: "this is not Lua")
            let error = await failure { () throws(RedisError) in
                _ = try await client.send(command(library, 1), using: library)
            }
            #expect(error?.detail.contains("compiling") == true)
        }
    }
}
