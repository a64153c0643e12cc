import Base
import Glibc
package import Loop

/// A Redis of a test's own: on a unix socket in a temporary folder, keeping nothing.
// Confined to its loop.
package final class PrivateRedis: @unchecked Sendable {
    package let loop: EventLoop
    private let folder: String
    private let arguments: [String]
    private var child: ChildProcess?

    package var socket: String { "\(folder)/redis.sock" }
    private var logPath: String { "\(folder)/log" }
    package var url: String { "unix://\(socket)" }

    private init(_ arguments: [String], on loop: EventLoop) throws {
        self.loop = loop
        self.arguments = arguments
        folder = "/tmp/hivegate-redis-\(getpid())-\(Random.base62(8))"
        guard mkdir(folder, 0o700) == 0 else { throw SystemError("mkdir \(folder)") }
    }

    /// Runs `body` with a server, and removes the server and its folder afterwards. `arguments` go to `redis-server`.
    package static func with<Result>(
        _ arguments: [String] = [], on loop: EventLoop, _ body: (PrivateRedis) async throws -> Result
    ) async throws -> Result {
        let redis = try PrivateRedis(arguments, on: loop)
        do {
            try await redis.start()
            let result = try await body(redis)
            await redis.remove()
            return result
        } catch {
            await redis.remove()
            throw error
        }
    }

    package func start() async throws {
        unlink(socket)
        unlink(logPath)
        let fixed = [
            "setpriv", "--pdeathsig", "KILL", "redis-server", "--port", "0", "--unixsocket", socket, "--dir",
            folder,
            "--save", "", "--appendonly", "no",
        ]
        child = try ChildProcess(fixed + arguments, log: logPath, on: loop)
        for _ in 0..<2000 {
            if isListening { return }
            guard child?.exit == nil else { break }
            try await loop.sleep(for: .milliseconds(5))
        }
        throw StartFailure(log: log)
    }

    /// Why the server did not start: what it wrote.
    struct StartFailure: Error { let log: String }

    private var isListening: Bool { log.contains("ready to accept connections at") }

    private var log: String {
        guard let file = fopen(logPath, "r") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// SIGSTOP and SIGCONT make it slow, SIGKILL makes it gone.
    package func send(signal: Int32) { child?.send(signal: signal) }

    /// Ends the server as a crash would.
    package func kill() async throws {
        child?.send(signal: SIGKILL)
        _ = try await child?.waitForExit(until: .now() + .seconds(10))
        child = nil
    }

    private func remove() async {
        // In a task of its own, so that the cancellation of a test does not leave a server behind.
        await Task(executorPreference: loop) { try? await self.kill() }.value
        for name in ["redis.sock", "log"] { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }
}
