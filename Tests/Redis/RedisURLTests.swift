import Base
import Testing

@testable import Redis

struct RedisURLTests {
    private func faults(_ text: String) -> String? {
        do throws(RedisURLError) {
            _ = try RedisURL(text)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `every part of a URL is read`() throws {
        #expect(try RedisURL("redis://localhost") == RedisURL(target: .host("localhost", port: 6379)))
        #expect(
            try RedisURL("redis://user:p%40ss%3A%2F@redis.internal:7000/3")
                == RedisURL(
                    target: .host("redis.internal", port: 7000), user: "user", password: Secret("p@ss:/"),
                    database: 3))
        #expect(
            try RedisURL("redis://:secret@10.0.0.1")
                == RedisURL(target: .host("10.0.0.1", port: 6379), password: Secret("secret")))
        #expect(
            try RedisURL("REDIS://[::1]:7000/?db=2")
                == RedisURL(target: .host("::1", port: 7000), database: 2))
        #expect(try RedisURL("unix:///run/redis.sock") == RedisURL(target: .path("/run/redis.sock")))
        #expect(
            try RedisURL("unix://u:p@/tmp/a%20b?db=7")
                == RedisURL(target: .path("/tmp/a b"), user: "u", password: Secret("p"), database: 7))
        // An '@' in the password that was not encoded: the last one ends it.
        #expect(try RedisURL("redis://:a@b@host").password == Secret("a@b"))
    }

    @Test func `the text of a URL hides the password`() throws {
        let url = try RedisURL("redis://user:hunter2@host:1/2")
        #expect("\(url)" == "redis://user:***@host:1/2")
        #expect(!String(reflecting: url).contains("hunter2"))
        let path = try RedisURL("unix:///a/b?db=1")
        #expect(try RedisURL("\(path)") == path)
    }

    @Test(arguments: [
        ("", "must start with redis:// or unix://"), ("localhost:6379", "must start with"),
        ("http://host", "must start with"), ("rediss://host", "no TLS"), ("redis://", "the host is missing"),
        ("redis://:6379", "the host is missing"), ("redis://host:0", "the port must be"),
        ("redis://host:65536", "the port must be"), ("redis://host:", "the port must be"),
        ("redis://host:12x", "the port must be"), ("redis://host/x", "the database must be"),
        ("redis://host/-1", "the database must be"), ("redis://host/99999", "the database must be"),
        ("redis://host/1?db=2", "given twice"), ("redis://host?tls=1", "unknown parameter 'tls'"),
        ("redis://user@host", "a user needs a password"), ("redis://user:@host", "the password is empty"),
        ("redis://:%zz@host", "the password holds a '%'"), ("redis://:%ff@host", "the password is not UTF-8"),
        ("redis://[::1", "'[' without ']'"), ("redis://[nope]", "not an IPv6 address"),
        ("redis://[::1]x", "only a port"), ("redis://ho st", "not a name or an address"),
        ("unix://relative", "must be absolute"), ("unix://", "must be absolute"),
        ("unix:///" + String(repeating: "x", count: 200), "longer than 107"), ("unix:///a%00b", "zero byte"),
        ("unix:///a?db=x", "the database must be"),
    ])
    func `a bad URL is refused by name`(_ text: String, _ expected: String) {
        #expect(faults(text)?.contains(expected) == true, "\(faults(text) ?? "accepted")")
    }

    @Test func `all faults are named at once, and none shows the password`() {
        let faults = faults("redis://user:hunter%2@ho st:0/x")
        for part in ["the password holds", "the host", "the port", "the database"] {
            #expect(faults?.contains(part) == true)
        }
        #expect(faults?.contains("hunter") == false)
    }
}

struct RedisServerErrorTests {
    @Test(arguments: [
        ("READONLY You can't write against a read only replica.", RedisServerError.Kind.readOnly),
        ("OOM command not allowed when used memory > 'maxmemory'.", .outOfMemory),
        ("LOADING Redis is loading the dataset in memory", .loading),
        ("BUSY Redis is busy running a script.", .busy),
        ("NOSCRIPT No matching script.", .noScript), ("ERR Function not found", .functionNotFound),
        ("MOVED 3999 127.0.0.1:6381", .moved), ("ASK 3999 127.0.0.1:6381", .ask),
        ("TRYAGAIN Multiple keys", .tryAgain),
        ("CLUSTERDOWN The cluster is down", .clusterDown), ("CROSSSLOT Keys", .crossSlot),
        ("NOAUTH Authentication required.", .noAuthentication),
        ("WRONGPASS invalid username-password", .wrongPassword),
        ("NOPERM this user has no permissions", .noPermission),
        ("MASTERDOWN Link with MASTER is down", .masterDown),
        ("MISCONF Redis is configured to save RDB", .misconfigured),
        ("WRONGTYPE Operation against", .wrongType),
        ("EXECABORT Transaction discarded", .transactionAborted),
        ("NOREPLICAS Not enough good replicas", .tooFewReplicas),
        ("ERR max number of clients reached", .tooManyClients), ("ERR unknown command 'x'", .other),
        ("BUSYGROUP Consumer Group name already exists", .busyGroup), ("SOMETHING new", .other), ("", .other),
        ("READONLYX", .other), ("ERR", .other),
    ])
    func `an error is told apart by its prefix`(_ message: String, _ kind: RedisServerError.Kind) {
        #expect(RedisServerError(message).kind == kind)
        #expect(
            RedisServerError(message).asksToReconnect == [.readOnly, .masterDown, .loading].contains(kind))
    }

    @Test func `what a client may see of an error holds nothing of the command`() {
        let error = RedisError(RedisServerError("WRONGTYPE secret-key holds the wrong kind"))
        #expect(!"\(error)".contains("secret-key"))
        #expect(error.detail.contains("secret-key"))
    }
}

struct RedisCommandTests {
    @Test func `arguments of all kinds are counted in bytes`() {
        var command = RedisCommand(
            "SET", "ké", .bytes([0, 13, 10]), 0, -1, 10, 99, -100, .integer(.min), .integer(.max))
        command.add([1, 2, 3][1...])
        var output: [UInt8] = []
        command.encode(to: &output)
        var expected = bytes("*11\r\n$3\r\nSET\r\n$3\r\nké\r\n$3\r\n") + [0, 13, 10] + bytes("\r\n")
        for number in ["0", "-1", "10", "99", "-100", "\(Int.min)", "\(Int.max)"] {
            expected += bytes("$\(number.utf8.count)\r\n\(number)\r\n")
        }
        expected += bytes("$2\r\n") + [2, 3] + bytes("\r\n")
        #expect(output == expected)
        #expect(output.count <= command.encodedCount)
    }
}

struct HandshakeTests {
    private let url = RedisURL(target: .path("/x"), user: "u", password: Secret("p"), database: 3)

    @Test func `login, database, name and a ping are said and answered in order`() {
        var handshake = Handshake(url, name: "n")
        var output: [UInt8] = []
        for command in handshake.commands { command.encode(to: &output) }
        let text = String(decoding: output, as: UTF8.self).replacing("\r\n", with: " ")
        #expect(
            text == "*3 $4 AUTH $1 u $1 p *2 $6 SELECT $1 3 *3 $6 CLIENT $7 SETNAME $1 n *1 $4 PING ")
        #expect(handshake.receive(.status("OK")) == .going)
        #expect(handshake.receive(.status("OK")) == .going)
        #expect(handshake.receive(.error(RedisServerError("NOPERM no"))) == .going)
        #expect(handshake.receive(.status("PONG")) == .done)
        if case .failed = handshake.receive(.status("PONG")) {
        } else {
            Issue.record("an answer too many was taken")
        }
    }

    @Test(arguments: [
        "LOADING Redis is loading", "MASTERDOWN Link", "NOAUTH Authentication required.", "BUSY script",
    ])
    func `a server that is not ready for us fails the handshake`(_ message: String) {
        var handshake = Handshake(RedisURL(target: .path("/x")), name: "n")
        #expect(handshake.receive(.status("OK")) == .going)
        #expect(handshake.receive(.error(RedisServerError(message))) == .failed("PING: \(message)"))
    }

    @Test func `a wrong password fails it`() {
        var handshake = Handshake(url, name: "n")
        #expect(handshake.receive(.error(RedisServerError("WRONGPASS no"))) == .failed("login: WRONGPASS no"))
    }
}
