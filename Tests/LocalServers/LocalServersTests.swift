import Base
import Glibc
import LocalServers
import Loop
import TestKit
import Testing

/// These start real servers, one after the other.
@Suite(.serialized) struct LocalServersTests {
    private func withPlace(_ body: @escaping @Sendable (LocalPlace, EventLoop) async throws -> Void)
        async throws
    {
        let root = "/tmp/hivegate-test-\(UUID.make())"
        try await onLoop { loop in
            let place = try LocalPlace(root: root)
            try await body(place, loop)
            _ = try await ChildProcess(["rm", "-rf", root], log: "/dev/null", on: loop).waitForExit()
        }
    }

    /// Whether somebody accepts connections at the socket, within 30 s.
    private static func waitForSocket(_ path: String, on loop: EventLoop) async throws -> Bool {
        for _ in 0..<1500 {
            let probe = try ChildProcess(
                [
                    "python3", "-c", "import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])",
                    path,
                ],
                log: "/dev/null", on: loop)
            if try await probe.waitForExit() == .status(0) { return true }
            try await loop.sleep(for: .milliseconds(20))
        }
        return false
    }

    @Test func `a database cluster is made once, serves, stops, and serves again`() async throws {
        try await withPlace { place, loop in
            for round in 0..<2 {
                let server = try await LocalPostgres.start(in: place, on: loop, logger: .silent)
                #expect(try await Self.waitForSocket("\(place.sockets)/.s.PGSQL.5432", on: loop))
                let made = try #require(Files.read("\(place.data)/postgres/PG_VERSION"))
                #expect(!made.isEmpty, "round \(round)")
                await server.stop()
                #expect(server.processIdentifier == nil)
                #expect(!Files.exists("\(place.data)/postgres/postmaster.pid"))
            }
        }
    }

    @Test func `a server that dies is started again`() async throws {
        try await withPlace { place, loop in
            let server = try await LocalRedis.start(in: place, on: loop, logger: .silent)
            #expect(try await Self.waitForSocket(LocalRedis.socket(in: place), on: loop))
            let first = try #require(server.processIdentifier)
            kill(first, SIGKILL)
            for _ in 0..<500 where server.processIdentifier == nil || server.processIdentifier == first {
                try await loop.sleep(for: .milliseconds(20))
            }
            #expect(server.processIdentifier != first)
            #expect(try await Self.waitForSocket(LocalRedis.socket(in: place), on: loop))
            await server.stop()
        }
    }

    @Test func `a server left behind by an earlier run is ended, and a stale pid is not minded`() async throws
    {
        try await withPlace { place, loop in
            let earlier = try await LocalRedis.start(in: place, on: loop, logger: .silent)
            #expect(try await Self.waitForSocket(LocalRedis.socket(in: place), on: loop))
            let orphan = try #require(earlier.processIdentifier)
            let later = try await LocalRedis.start(in: place, on: loop, logger: .silent)
            #expect(later.processIdentifier != orphan)
            await earlier.stop()
            await later.stop()

            try Files.write(Array("1\n".utf8), to: "\(place.data)/redis/redis.pid", mode: 0o644)
            let fresh = try await LocalRedis.start(in: place, on: loop, logger: .silent)
            #expect(try await Self.waitForSocket(LocalRedis.socket(in: place), on: loop))
            await fresh.stop()
        }
    }
}
