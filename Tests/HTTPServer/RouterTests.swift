import HTTPServer
import HTTPWire
import Testing

struct RouterTests {
    private static let table: [(HTTPMethod, String)] = [
        (.get, "/"), (.get, "/v1/models"), (.get, "/v1/models/{id}"), (.delete, "/v1/models/{id}"),
        (.get, "/v1/models/default"), (.post, "/v1/models/{id}/pull"), (.post, "/v1/chat/completions"),
        (.get, "/orgs/{org}/members/{member}"), (.get, "/orgs/{org}/members"), (.get, "/app/{path*}"),
        (.get, "/app/special/{id}"), (.get, "/trailing/"), (.options, "/own"), (.get, "/own"),
        (.head, "/head"),
    ]

    private func router() throws -> Router {
        try Router(Self.table.map { route($0.0, $0.1) { $0.respond(200) } })
    }

    private func match(_ method: HTTPMethod, _ target: String) throws -> String {
        var parser = RequestHeadParser()
        let request = "\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n"
        guard case .head(let head, _) = parser.parse(Array(request.utf8)) else { return "refused" }
        switch try router().match(head) {
        case .route(let route, let parameters):
            let values = ["id", "org", "member", "path"].compactMap { name in
                parameters[name].map { " \(name)=\($0)" }
            }
            return route.pattern + values.joined()
        case .notFound: return "404"
        case .wrongMethod(let allow): return "405 \(allow)"
        case .options(let allow): return "options \(allow)"
        case .malformed: return "400"
        }
    }

    @Test(arguments: [
        ("/", "/"), ("/?a=b", "/"), ("/v1/models", "/v1/models"),
        ("/v1/models/gpt-4", "/v1/models/{id} id=gpt-4"),
        ("/v1/models/default", "/v1/models/default"), ("/v1/models/defaults", "/v1/models/{id} id=defaults"),
        ("/v1/models/a%2Fb", "/v1/models/{id} id=a/b"), ("/v1/models/%C3%A4", "/v1/models/{id} id=ä"),
        ("/v1/models/a+b", "/v1/models/{id} id=a+b"), ("/v1/models/%FF", "400"),
        ("/orgs/1/members/2", "/orgs/{org}/members/{member} org=1 member=2"),
        ("/orgs/1/members", "/orgs/{org}/members org=1"),
        ("/app/a", "/app/{path*} path=a"), ("/app/a/b/c.js", "/app/{path*} path=a/b/c.js"),
        ("/app/special/7", "/app/special/{id} id=7"), ("/app/special/7/8", "/app/{path*} path=special/7/8"),
        ("/app/special", "/app/{path*} path=special"), ("/app//", "/app/{path*} path=/"),
        ("/trailing/", "/trailing/"),
        ("/app/", "404"), ("/app", "404"), ("/trailing", "404"), ("/v1/models/", "404"),
        ("/v1/models//pull", "404"),
        ("//", "404"), ("/V1/models", "404"), ("/v1/model%73", "404"), ("/v1", "404"),
        ("/orgs//members", "404"),
        ("/v1/models/a/b", "404"), ("/v1/../v1/models", "404"), ("/orgs/1/members/2/3", "404"),
    ])
    func `a path leads to its route`(target: String, expected: String) throws {
        #expect(try match(.get, target) == expected)
    }

    @Test func `methods are told apart, HEAD comes from GET, and OPTIONS is answered`() throws {
        #expect(try match(.delete, "/v1/models/x") == "/v1/models/{id} id=x")
        #expect(try match(.post, "/v1/models/x") == "405 GET, HEAD, DELETE, OPTIONS")
        #expect(try match(.get, "/v1/chat/completions") == "405 POST, OPTIONS")
        #expect(try match(.head, "/v1/models") == "/v1/models")
        #expect(try match(.head, "/head") == "/head")
        #expect(try match(.get, "/head") == "405 HEAD, OPTIONS")
        #expect(try match(.head, "/v1/chat/completions") == "405 POST, OPTIONS")
        #expect(try match(.options, "/v1/models/x") == "options GET, HEAD, DELETE, OPTIONS")
        #expect(try match(.options, "/own") == "/own")
        #expect(try match(.options, "*") == "options GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
        // The more special pattern owns the path, also where it lacks the method.
        #expect(try match(.delete, "/v1/models/default") == "405 GET, HEAD, OPTIONS")
    }

    @Test(arguments: [
        (["/a", "/a"], RouterFault.duplicate("GET /a")),
        (["/a/{x}", "/a/{y}"], .duplicate("GET /a/{y}")),
        (["a"], .invalidPattern("a")), ([""], .invalidPattern("")), (["/{}"], .invalidPattern("/{}")),
        (["/{x"], .invalidPattern("/{x")), (["/a{x}"], .invalidPattern("/a{x}")),
        (["/{path*}/a"], .invalidPattern("/{path*}/a")), (["/{x}/{x}"], .invalidPattern("/{x}/{x}")),
        (["/a b"], .invalidPattern("/a b")), (["/a?b"], .invalidPattern("/a?b")),
    ])
    func `a table that is none is refused`(patterns: [String], fault: RouterFault) {
        #expect(throws: fault) {
            try Router(
                patterns.enumerated().map { index, pattern in
                    Route(.get, pattern, RouteMetadata("\(index)", access: "public")) { $0.respond(200) }
                })
        }
    }

    @Test(arguments: [
        ("/a/b", "/a/{y}", "/{x}/b"), ("/a/user/cancel", "/a/user/{x}", "/a/{y}/cancel"),
        ("/a/b/c/d", "/a/b/{z}/d", "/a/{x}/c/{y}"), ("/a/b/c", "/a/{path*}", "/{x}/b/{y}"),
        ("/a/b/c", "/a/{x}/c", "/a/{path*}"), ("/a/b/c", "/a/b/c", "/a/{x}/c"),
    ])
    func `where two patterns first differ the literal wins, in whatever order they are listed`(
        target: String, winner: String, loser: String
    ) throws {
        for patterns in [[winner, loser], [loser, winner]] {
            let router = try Router(patterns.map { route(.get, $0) { $0.respond(200) } })
            var parser = RequestHeadParser()
            guard case .head(let head, _) = parser.parse(Array(get(target).utf8)),
                case .route(let found, _) = router.match(head)
            else {
                Issue.record("\(target) is not found")
                return
            }
            #expect(found.pattern == winner)
        }
    }

    @Test func `what the literal does not lead to the parameter does`() throws {
        let router = try Router(
            ["/a/user/{x}", "/a/{y}/cancel/{z}"].map { route(.get, $0) { $0.respond(200) } })
        var parser = RequestHeadParser()
        guard case .head(let head, _) = parser.parse(Array(get("/a/user/cancel/1").utf8)),
            case .route(let found, let parameters) = router.match(head)
        else {
            Issue.record("nothing is found")
            return
        }
        #expect(found.pattern == "/a/{y}/cancel/{z}" && parameters["y"] == "user" && parameters["z"] == "1")
    }

    @Test func `two routes cannot share a name`() {
        #expect(throws: RouterFault.duplicateName("x")) {
            try Router(
                ["/a", "/b"].map { Route(.get, $0, RouteMetadata("x", access: "public")) { $0.respond(200) } }
            )
        }
    }

    @Test func `the table can be read by others`() throws {
        #expect(try router().routes.map(\.pattern) == Self.table.map(\.1))
        #expect(try router().routes.allSatisfy { $0.metadata.access == "public" })
    }

    @Test func `a large table finds each of its routes`() throws {
        let routes = (0..<500).map { number in
            route(.get, number % 2 == 0 ? "/static/\(number)/x" : "/dynamic/\(number)/{id}") {
                $0.respond(200)
            }
        }
        let router = try Router(routes)
        for number in 0..<500 {
            let target = number % 2 == 0 ? "/static/\(number)/x" : "/dynamic/\(number)/y"
            var parser = RequestHeadParser()
            guard case .head(let head, _) = parser.parse(Array(get(target).utf8)),
                case .route(let found, _) = router.match(head)
            else {
                Issue.record("\(target) is not found")
                return
            }
            #expect(found === routes[number])
        }
    }

    @Test func `a path of many slashes costs no more than its length`() throws {
        var parser = RequestHeadParser()
        let target = String(repeating: "/", count: 8000)
        guard case .head(let head, _) = parser.parse(Array(get(target).utf8)),
            case .notFound = try router().match(head)
        else {
            Issue.record("something else was found")
            return
        }
    }
}
