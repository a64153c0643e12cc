import Base
import HTTPClient
import Identity
import JSON
import Postgres
import Testing

/// Where an organization admits its members by single sign-on only, nothing else is a way in.
struct EnforcedSSOTests {
    /// As its owner has set it up, and somebody has come that way.
    private func enforce(_ person: ManagementWorld.Person, _ world: ManagementWorld) async throws {
        let set = try await world.send(
            "PUT", "/api/v1/organizations/\(person.organization)/sso", as: person,
            #"{"issuer":"https://login.example.com","client_id":"hg","client_secret":"the-client-secret"}"#)
        #expect(set.status == 200, "\(set.text)")
        _ = try await world.owner.query(
            """
            INSERT INTO sso_identities (org_id, issuer, subject, user_id)
            VALUES (\(person.organization), 'https://login.example.com', 'somebody', \(person.user))
            """)
        let enforced = try await world.send(
            "PUT", "/api/v1/organizations/\(person.organization)/sso", as: person,
            #"{"issuer":"https://login.example.com","client_id":"hg","enforced":true}"#)
        #expect(enforced.status == 200, "\(enforced.text)")
    }

    private func login(_ email: String, _ more: String = "", password: String = ManagementWorld.password)
        -> String
    {
        #"{"email":"\#(email)","password":"\#(password)"\#(more)}"#
    }

    @Test func `a password does not lead in`() async throws {
        try await ManagementWorld.run { world in
            let owner = try await world.newPerson("owner")
            try await enforce(owner, world)
            for more in ["", #","organization_id":"\#(owner.organization)""#, #","session":"cookie""#] {
                let answer = try await world.send(
                    "POST", "/api/auth/login", login(owner.email, more),
                    fields: [("Origin", "https://hivegate.test")])
                #expect((answer.status, answer.code) == (403, "sso_required"))
                #expect(answer["set-cookie"] == nil)
            }
        }
    }

    @Test func `sessions that were begun before do not go on`() async throws {
        try await ManagementWorld.run { world in
            let owner = try await world.newPerson("owner")
            let member = try await world.newMember("member", of: owner, as: .member)
            let browser = try await world.send(
                "POST", "/api/auth/login", login(member.email, #","session":"cookie""#),
                fields: [("Origin", "https://hivegate.test")])
            let cookie = try #require(browser["set-cookie"]?.split(separator: ";").first.map(String.init))
            let credential = ManagementWorld.Credential.cookie(cookie, origin: "https://hivegate.test")
            #expect(try await world.send("GET", "/api/auth/me", as: credential).status == 200)
            try await enforce(owner, world)
            for credential in [.bearer(member.token), .bearer(owner.token), credential] {
                let answer = try await world.send("GET", "/api/auth/me", as: credential)
                #expect((answer.status, answer.code) == (403, "sso_required"))
            }
            let refreshed = try await world.send(
                "POST", "/api/auth/refresh", #"{"refresh_token":"\#(member.refreshToken)"}"#)
            #expect(refreshed.status == 401)
        }
    }

    @Test func `nobody switches in, accepts an invitation in, or resets a password in`() async throws {
        try await ManagementWorld.run { world in
            let owner = try await world.newPerson("owner")
            let guest = try await world.newPerson("guest")
            for email in [guest.email, "late@example.com"] {
                let invited = try await world.send(
                    "POST", "/api/v1/organizations/\(owner.organization)/invitations", as: owner,
                    #"{"email":"\#(email)"}"#)
                #expect(invited.status == 201)
            }
            let accepted = try await world.mailedToken(to: guest.email)
            let joined = try await world.send(
                "POST", "/api/auth/invitations/accept", as: guest, #"{"invitation":"\#(accepted)"}"#)
            #expect(joined.status == 200, "\(joined.text)")
            let invitation = try await world.mailedToken(to: "late@example.com")
            try await enforce(owner, world)

            let switched = try await world.send(
                "POST", "/api/auth/switch", as: guest, #"{"organization_id":"\#(owner.organization)"}"#)
            #expect((switched.status, switched.code) == (403, "sso_required"))
            // Their own organization is theirs as before.
            #expect(try await world.send("GET", "/api/auth/me", as: guest).status == 200)

            let made = try await world.send(
                "POST", "/api/auth/register",
                #"{"email":"late@example.com","password":"\#(ManagementWorld.password)","invitation":"\#(invitation)"}"#
            )
            #expect(made.status == 202, "\(made.text)")
            let entered = try await world.send("POST", "/api/auth/login", login("late@example.com"))
            #expect((entered.status, entered.code) == (403, "sso_required"))

            let asked = try await world.send(
                "POST", "/api/auth/password/forgot", #"{"email":"\#(owner.email)"}"#)
            #expect(asked.status == 202)
            let token = try await world.mailedToken(to: owner.email)
            let reset = try await world.send(
                "POST", "/api/auth/password/reset",
                #"{"token":"\#(token)","password":"another horse battery"}"#)
            #expect(reset.status == 204)
            let answer = try await world.send(
                "POST", "/api/auth/login", login(owner.email, password: "another horse battery"))
            #expect((answer.status, answer.code) == (403, "sso_required"))
        }
    }

    @Test func `an invitation given along with a login leads nowhere`() async throws {
        try await ManagementWorld.run { world in
            let owner = try await world.newPerson("owner")
            let guest = try await world.newPerson("guest")
            let invited = try await world.send(
                "POST", "/api/v1/organizations/\(owner.organization)/invitations", as: owner,
                #"{"email":"\#(guest.email)"}"#)
            #expect(invited.status == 201)
            let token = try await world.mailedToken(to: guest.email)
            try await enforce(owner, world)
            let answer = try await world.send(
                "POST", "/api/auth/login", login(guest.email, #","invitation":"\#(token)""#))
            #expect((answer.status, answer.code) == (403, "sso_required"))
        }
    }

    @Test func `API keys go on`() async throws {
        try await ManagementWorld.run { world in
            let owner = try await world.newPerson("owner")
            let made = try await world.send(
                "POST", "/api/auth/api-keys", as: owner, #"{"name":"k","scopes":["read"]}"#)
            let key = try #require(made.json?["key"]?.string, "\(made.text)")
            try await enforce(owner, world)
            let answer = try await world.send("GET", "/api/auth/api-keys", as: .bearer(key))
            #expect(answer.status == 200, "\(answer.text)")
        }
    }

    @Test func `the operator of the machine opens it again, and that is written down`() async throws {
        try await ManagementWorld.run { world in
            let owner = try await world.newPerson("owner")
            try await enforce(owner, world)
            try await world.store.stopEnforcingSSO(of: owner.organization, by: .command)
            let again = try await world.signIn(owner.email)
            let shown = try await world.send("GET", "/api/v1/audit?action=sso.set", as: again)
            let entry = try #require(shown.json?["data"]?.elements.first { _ in true })
            #expect(entry["actor"]?["kind"]?.string == "command")
            #expect(entry["before"]?["enforced"]?.string == "true")
            #expect(entry["after"]?["enforced"]?.string == "false")
        }
    }
}
