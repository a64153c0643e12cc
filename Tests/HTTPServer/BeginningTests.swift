import Base
import HTTPServer
import HTTPWire
import Loop
import Testing

/// What a client notices of requests that are answered without the connection's task: nothing but that they are.
@Suite(.timeLimit(.minutes(2)))
struct BeginningTests {
    /// `/now` and `/later/{n}` are answered by their beginnings, `/rest/{n}` and `/declined/{n}` by what these leave over.
    private static let routes = [
        begun("/now/{n}") { exchange in
            say(exchange)
            exchange.begun()
        },
        begun("/later/{n}") { exchange in
            after(.milliseconds(3), exchange) {
                say(exchange)
                exchange.begun()
            }
        },
        begun("/rest/{n}") { exchange in
            after(.milliseconds(3), exchange) {
                exchange.begun { exchange in
                    try await exchange.loop.sleep(for: .milliseconds(1))
                    say(exchange)
                }
            }
        },
        begun("/declined/{n}") { $0.begun { say($0) } },
        begun("/silent") { $0.begun() },
    ]

    /// Only those whose body has come whole are begun; others, and those that come before the one in front is answered,
    /// are handled.
    private static func begun(_ pattern: String, _ beginning: @escaping Beginning) -> Route {
        let handler: Handler = { exchange in
            _ = try await exchange.body()
            say(exchange)
        }
        return Route(
            .post, pattern, RouteMetadata(pattern, access: "public", goesDeep: true),
            beginning: { exchange in
                if exchange.lookAtBody({ _ in }) {
                    beginning(exchange)
                } else {
                    exchange.begun(leaving: handler)
                }
            }, handler)
    }

    private static func say(_ exchange: Exchange) {
        exchange.respond(200, body: Array((exchange.parameters["n"] ?? "").utf8))
    }

    private static func after(_ pause: Duration, _ exchange: Exchange, _ work: @escaping () -> Void) {
        _ = exchange.loop.schedule(at: .now() + pause, work)
    }

    @Test(arguments: Wire.allCases)
    func `every request is answered once and in its order, however it is begun and however it comes`(
        wire: Wire
    ) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        try await withServer(wire, Self.routes + [hello]) { fixture in
            var random = SeededGenerator(seed: seed)
            let client = try fixture.connect()
            var number = 0
            for round in 0..<120 {
                var expected: [String] = []
                var text = ""
                for _ in 0..<(1 + Int(random.next() % 4)) {
                    // Some come with the same head again.
                    if random.next() % 3 > 0 { number += 1 }
                    switch random.next() % 5 {
                    case 0:
                        text += get("/hello")
                        expected.append("hello")
                    case let way:
                        let path = ["/now", "/later", "/rest", "/declined"][Int(way) - 1]
                        text += post(
                            "\(path)/\(number)", String(repeating: "x", count: Int(random.next() % 300)))
                        expected.append("\(number)")
                    }
                }
                // At once, or in pieces that are cut anywhere.
                var rest = Array(text.utf8)[...]
                while !rest.isEmpty {
                    let count = random.next() % 3 == 0 ? 1 + Int(random.next() % 200) : rest.count
                    try await client.send(Array(rest.prefix(count)))
                    rest = rest.dropFirst(count)
                    if random.next() % 2 == 0 { try await fixture.loop.sleep(for: .microseconds(200)) }
                }
                for text in expected {
                    let response = try await client.response()
                    #expect(response.status == 200 && response.text == text, "seed \(seed), round \(round)")
                }
            }
        }
    }

    private final class Note {
        let number: Int
        init(_ number: Int) { self.number = number }
    }

    @Test(arguments: Wire.allCases)
    func `what was made of a head is there for as long as the connection's heads are the same`(wire: Wire)
        async throws
    {
        let count = Locked(0)
        let noting = Self.begun("/noting") { exchange in
            let note =
                exchange.headNotes as? Note
                ?? Note(
                    count.withLock { count in
                        count += 1
                        return count
                    })
            exchange.headNotes = note
            exchange.respond(200, body: Array("\(note.number)".utf8))
            exchange.begun()
        }
        try await withServer(wire, Self.routes + [noting]) { fixture in
            let client = try fixture.connect()
            let mine = post("/noting", "a", "X-Who: me\r\n")
            let yours = post("/noting", "a", "X-Who: you\r\n")
            let longer = post("/noting", String(repeating: "a", count: 9), "X-Who: you\r\n")
            let turns = [
                (mine, "1"), (mine, "1"), (yours, "2"), (yours, "2"), (longer, "2"), (mine, "3"),
                (post("/now/other", ""), "other"), (mine, "4"), (mine, "4"),
            ]
            for (request, answer) in turns {
                try await client.send(request)
                let text = try await client.response().text
                #expect(text == answer)
            }
            let another = try fixture.connect()
            try await another.send(mine)
            #expect(try await another.response().text == "5")
        }
    }

    @Test(arguments: Wire.allCases)
    func `one whose beginning says nothing is told that something went wrong`(wire: Wire) async throws {
        try await withServer(wire, Self.routes) { fixture in
            let client = try fixture.connect()
            try await client.send(post("/silent", ""))
            #expect(try await client.response().status == 500)
            try await client.send(post("/now/1", ""))
            #expect(try await client.response().text == "1")
        }
    }

    @Test(arguments: Wire.allCases)
    func `a client that leaves is seen to have left, and what is left over is given up`(wire: Wire)
        async throws
    {
        let isGivenUp = Locked(false)
        let leaving = Self.begun("/leaving") { exchange in
            Self.after(.milliseconds(20), exchange) {
                exchange.begun { exchange in
                    do { try await exchange.loop.sleep(for: .seconds(10)) } catch {
                        isGivenUp.withLock { $0 = true }
                        throw error
                    }
                }
            }
        }
        try await withServer(wire, Self.routes + [leaving]) { fixture in
            for path in ["/leaving", "/later/1", "/rest/1"] {
                fixture.records.withLock { $0 = [] }
                let client = try fixture.connect()
                try await client.send(post(path, ""))
                try await fixture.loop.sleep(for: .milliseconds(1))
                client.transport.close()
                try await fixture.wait("the end of \(path)") {
                    let count = await fixture.server.connectionCount()
                    return count == 0 && fixture.records.withLock { $0.count } == 1
                }
            }
            #expect(isGivenUp.withLock { $0 })
        }
    }

    @Test(arguments: Wire.allCases)
    func `a request that is handed to a task that was cancelled a moment before has an end too`(
        wire: Wire
    ) async throws {
        let late = Route(
            .post, "/late", RouteMetadata("late", access: "public"),
            beginning: { exchange in
                exchange.cancel()
                // Behind the cancellation, and before the task has heard of it.
                exchange.loop.execute { exchange.begun { Self.say($0) } }
            },
            { Self.say($0) })
        try await withServer(wire, [late]) { fixture in
            let client = try fixture.connect()
            try await client.send(post("/late", ""))
            try await client.waitForEnd()
            try await fixture.wait("the record of the request") {
                fixture.records.withLock { $0.count } == 1
            }
            #expect(fixture.records.withLock { $0[0].aborted })
        }
    }

    @Test(arguments: Wire.allCases)
    func `an answer that takes longer than a connection may be idle comes, and then the connection ends`(
        wire: Wire
    ) async throws {
        let slow = Self.begun("/slow") { exchange in
            Self.after(.milliseconds(120), exchange) {
                exchange.respond(200, body: Array("slow".utf8))
                exchange.begun()
            }
        }
        let setup = Setup { $0.limits.idleDeadline = .milliseconds(40) }
        try await withServer(wire, [slow], setup) { fixture in
            let client = try fixture.connect()
            try await client.send(post("/slow", ""))
            #expect(try await client.response().text == "slow")
            let answered = Instant.now()
            try await client.waitForEnd()
            #expect(.now() - answered >= .milliseconds(30))
        }
    }

    private static func answerWhenDraining(_ exchange: Exchange) {
        after(.milliseconds(1), exchange) {
            guard exchange.isDraining else { return answerWhenDraining(exchange) }
            exchange.respond(200, body: Array("last".utf8))
            exchange.begun()
        }
    }

    @Test(arguments: Wire.allCases)
    func `a server that drains answers what is begun, and says that it is the last`(wire: Wire) async throws {
        let hasBegun = Locked(false)
        let last = Self.begun("/last") { exchange in
            hasBegun.withLock { $0 = true }
            Self.answerWhenDraining(exchange)
        }
        try await withServer(wire, [last]) { fixture in
            let client = try fixture.connect()
            try await client.send(post("/last", ""))
            while !hasBegun.withLock({ $0 }) { try await fixture.loop.sleep(for: .milliseconds(1)) }
            async let drained = fixture.server.drain(within: .seconds(5))
            let response = try await client.response()
            #expect(response.text == "last" && response.fields["connection"] == "close")
            try await client.waitForEnd()
            _ = await drained
        }
    }

    @Test(arguments: Wire.allCases)
    func `a beginning sees a body that has come whole, and leaves it where it is`(wire: Wire) async throws {
        let beginning: Beginning = { exchange in
            var seen: String?
            let isWhole = exchange.lookAtBody { seen = String(decoding: $0, as: UTF8.self) }
            exchange.begun { [seen] exchange in
                let body = String(decoding: try await exchange.body(), as: UTF8.self)
                exchange.respond(200, body: Array("\(isWhole) \(seen ?? "") \(body)".utf8))
            }
        }
        let looking = Route(
            .post, "/looking", RouteMetadata("looking", access: "public"), beginning: beginning
        ) { $0.respond(500) }
        try await withServer(wire, [looking]) { fixture in
            let client = try fixture.connect()
            let request = post("/looking", "body")
            try await client.send(request)
            #expect(try await client.response().text == "true body body")
            try await client.send(String(request.dropLast(2)))
            try await fixture.loop.sleep(for: .milliseconds(5))
            try await client.send(String(request.suffix(2)))
            #expect(try await client.response().text == "false  body")
            try await client.send(
                "POST /looking HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
            )
            #expect(try await client.response().text == "false  body")
        }
    }
}
