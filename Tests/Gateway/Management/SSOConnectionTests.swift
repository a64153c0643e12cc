import Base
import Identity
import JSON
import Testing

/// Setting up whom an organization trusts.
struct SSOConnectionTests {
    private static let secret = "a-secret-of-the-provider"

    private func set(
        _ world: ManagementWorld, _ person: ManagementWorld.Person,
        issuer: String = "https://login.example.com",
        secret: String? = Self.secret, _ more: String = ""
    ) async throws -> ManagementWorld.Answer {
        let part = secret.map { #","client_secret":"\#($0)""# } ?? ""
        return try await world.send(
            "PUT", "/api/v1/organizations/\(person.organization)/sso", as: person,
            #"{"issuer":"\#(issuer)","client_id":"hg"\#(part)\#(more)}"#)
    }

    @Test func `a connection is set, shown without its secret, and removed`() async throws {
        try await ManagementWorld.run { world in
            let owner = try await world.newPerson("owner")
            let path = "/api/v1/organizations/\(owner.organization)/sso"
            #expect(try await world.send("GET", path, as: owner).status == 404)
            let made = try await set(world, owner, secret: Self.secret, #","default_role":"viewer""#)
            #expect(made.status == 200, "\(made.text)")
            let shown = try await world.send("GET", path, as: owner)
            #expect(shown.text == made.text)
            #expect(shown.json?["default_role"]?.string == "viewer")
            #expect(shown.json?["enforced"]?.bool == false)
            let audit = try await world.send("GET", "/api/v1/audit", as: owner)
            #expect(!shown.text.contains(Self.secret) && !audit.text.contains(Self.secret))
            #expect(try await world.send("DELETE", path, as: owner).status == 204)
            #expect(try await world.send("DELETE", path, as: owner).status == 404)
            let actions = try await world.send("GET", "/api/v1/audit", as: owner)
            for action in ["sso.set", "sso.remove"] { #expect(actions.text.contains(action)) }
        }
    }

    @Test func `a secret is kept for its provider, and never goes to another`() async throws {
        try await ManagementWorld.run { world in
            let owner = try await world.newPerson("owner")
            let without = try await set(world, owner, secret: nil)
            #expect((without.status, without.code) == (422, "missing_client_secret"))
            #expect(try await set(world, owner).status == 200)
            #expect(try await set(world, owner, secret: nil).status == 200)
            let moved = try await set(world, owner, issuer: "https://evil.example", secret: nil)
            #expect((moved.status, moved.code) == (422, "missing_client_secret"))
            #expect(try await set(world, owner, issuer: "https://other.example", secret: "new").status == 200)
        }
    }

    @Test func `what nobody has tried cannot be the only way in`() async throws {
        try await ManagementWorld.run { world in
            let owner = try await world.newPerson("owner")
            let answer = try await set(world, owner, secret: Self.secret, #","enforced":true"#)
            #expect((answer.status, answer.code) == (409, "sso_untried"))
            #expect(try await world.send("GET", "/api/auth/me", as: owner).status == 200)
        }
    }

    @Test func `only an owner sets it, and only their own organization's`() async throws {
        try await ManagementWorld.run { world in
            let owner = try await world.newPerson("owner")
            let stranger = try await world.newPerson("stranger")
            let admin = try await world.newMember("admin", of: owner, as: .admin)
            #expect(try await set(world, admin).status == 403)
            var elsewhere = stranger
            elsewhere.organization = owner.organization
            #expect(try await set(world, elsewhere).status == 404)
            for issuer in [
                "login.example.com", "ftp://x.example", "https://u:p@x.example", "https://x.example?a=b",
            ] {
                #expect(try await set(world, owner, issuer: issuer).status == 422, "\(issuer)")
            }
        }
    }

    @Test func `an organization without single sign-on looks like none at all`() async throws {
        try await ManagementWorld.run { world in
            let owner = try await world.newPerson("owner")
            let there = try await world.send("GET", "/api/auth/sso/\(owner.organization)")
            let nowhere = try await world.send("GET", "/api/auth/sso/\(UUID.make())")
            #expect((there.status, there.code) == (404, "not_found"))
            #expect(there.json?["error"]?["message"]?.string == nowhere.json?["error"]?["message"]?.string)
        }
    }

    @Test(arguments: ["http://127.0.0.1:1", "https://127.0.0.1:1", "https://[::1]:1", "https://localhost:1"])
    func `a provider inside the house is not spoken to`(issuer: String) async throws {
        try await ManagementWorld.run { world in
            let owner = try await world.newPerson("owner")
            #expect(try await set(world, owner, issuer: issuer).status == 200)
            let answer = try await world.send("GET", "/api/auth/sso/\(owner.organization)")
            #expect((answer.status, answer.code) == (502, "sso_address_refused"))
        }
    }
}
