import Base
import Gateway
import HTTPServer
import HTTPWire
import Identity
import Testing

struct AuthenticationTests {
    @Test(arguments: [
        ("Authorization", "Bearer "), ("authorization", "bearer "), ("X-Api-Key", ""), ("api-key", ""),
        ("X-Goog-Api-Key", ""),
    ])
    func `a key counts in every field that a client may send it in`(name: String, prefix: String) async throws
    {
        try await GatewayWorld.run { world in
            let answer = try await world.send("GET", "/v1/models", [(name, prefix + world.key())])
            #expect(answer.status == 200)
        }
    }

    @Test func `without a key, or with one that is none, nothing is said but how to do better`() async throws
    {
        try await GatewayWorld.run { world in
            let missing = try await world.send("GET", "/v1/models")
            #expect(missing.status == 401 && missing.code == "missing_api_key")
            for value in [
                "Bearer x", "Basic \(world.key())", "Bearer \(APIKey.make().secret.reveal())", "Bearer ",
            ] {
                let answer = try await world.send("GET", "/v1/models", [("Authorization", value)])
                #expect(answer.status == 401)
                #expect(answer["x-request-id"]?.hasPrefix("req_") == true)
            }
        }
    }

    @Test func `a mistyped key is refused even while the database is away, a new one is told to come back`()
        async throws
    {
        try await GatewayWorld.run { world in
            world.isDatabaseAway = true
            let mistyped = try await world.send(
                "GET", "/v1/models", [("x-api-key", String(world.key().dropLast()))])
            #expect(mistyped.status == 401)
            let new = try await world.send("GET", "/v1/models", [("x-api-key", world.key())])
            #expect(new.status == 503 && new.code == "database_unavailable")
            #expect(new["retry-after"] == "2")
        }
    }

    @Test func `a key may do what its scopes say, with the models that it may use`() async throws {
        try await GatewayWorld.run { world in
            let reader = try await world.complete("sandbox/echo", key: world.key(scopes: .read))
            #expect(reader.status == 403 && reader.code == "missing_scope")
            let key = world.key(models: ["sandbox/echo"])
            #expect(try await world.complete("sandbox/echo", key: key).status == 200)
            let other = try await world.complete("sandbox/story", key: key)
            #expect(other.status == 403 && other.code == "model_not_allowed")
        }
    }

    @Test func `whoever tries too many made-up keys is told to wait, and known keys are served meanwhile`()
        async throws
    {
        try await GatewayWorld.run { world in
            let known = world.key()
            #expect(try await world.send("GET", "/v1/models", [("x-api-key", known)]).status == 200)
            try await withThrowingTaskGroup(of: GatewayWorld.Answer.self) { group in
                for _ in 0..<300 {
                    group.addTask(executorPreference: world.loop) {
                        let made = APIKey.make().secret.reveal()
                        return try await world.send("GET", "/v1/models", [("x-api-key", made)])
                    }
                }
                var refused = 0
                for try await answer in group {
                    if answer.status == 401 { continue }
                    refused += 1
                    #expect(answer.status == 429 && answer.code == "too_many_unknown_keys")
                    #expect(answer["retry-after"] == "1")
                }
                #expect(refused > 0)
            }
            #expect(try await world.send("GET", "/v1/models", [("x-api-key", known)]).status == 200)
        }
    }

    /// What anybody may call. A route that is public by mistake is found here.
    private static let publicRoutes: Set = [
        "/livez", "/readyz", "/metrics", "/openapi.json", "/.well-known/jwks.json", "/api/auth/register",
        "/api/auth/login", "/api/auth/refresh", "/api/auth/password/forgot", "/api/auth/password/reset",
        "/api/auth/verify-email", "/api/auth/verify-email/resend", "/api/auth/sso/{organization_id}",
        "/api/auth/sso/callback", "/api/v1/billing/tiers", "/api/billing/tiers",
        "/api/v1/billing/webhooks/stripe", "/api/billing/webhooks/stripe",
    ]

    @Test func `every route but an allow-list asks who calls`() async throws {
        try await GatewayWorld.run { world in
            for route in RouteTable.routes({ _ in preconditionFailure("no handler runs") }) {
                let path = route.pattern.replacing("{", with: "").replacing("}", with: "")
                let answer = try await world.send("\(route.method)", path)
                let isPublic = Self.publicRoutes.contains(route.pattern)
                #expect((route.metadata.access == "public") == isPublic, "\(route.pattern)")
                #expect((answer.status == 401) == !isPublic, "\(route.pattern): \(answer.status)")
            }
        }
    }
}
