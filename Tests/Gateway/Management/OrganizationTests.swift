import Base
import Identity
import JSON
import Testing

struct OrganizationTests {
    @Test func `somebody who is invited joins with that role, once, and the invitation's address alone`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let invitations = "/api/v1/organizations/\(ann.organization)/invitations"
            _ = try await world.send(
                "POST", invitations, as: ann, #"{"email":"bob@example.com","role":"viewer"}"#)
            let token = try await world.mailedToken(to: "bob@example.com")
            func register(_ email: String) async throws -> ManagementWorld.Answer {
                try await world.send(
                    "POST", "/api/auth/register",
                    #"{"email":"\#(email)","password":"\#(ManagementWorld.password)","invitation":"\#(token)"}"#
                )
            }
            let thief = try await register("eve@example.com")
            #expect((thief.status, thief.code) == (422, "wrong_email"))
            #expect(try await register("bob@example.com").status == 202)
            #expect(try await register("bob@example.com").status == 404)
            let bob = try await world.signIn("bob@example.com")
            #expect(bob.organization == ann.organization)
            let members = try await world.send(
                "GET", "/api/v1/organizations/\(ann.organization)/members", as: bob)
            let roles = members.json?["data"]?.elements.compactMap { $0["role"]?.string } ?? []
            #expect(roles.sorted() == ["owner", "viewer"])
        }
    }

    @Test func `an account that is there already joins as it signs in, or when it has`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            for name in ["bob", "cid"] {
                let guest = try await world.newPerson(name)
                let invited = try await world.send(
                    "POST", "/api/v1/organizations/\(ann.organization)/invitations", as: ann,
                    #"{"email":"\#(guest.email)"}"#)
                #expect(invited.status == 201)
                let token = try await world.mailedToken(to: guest.email)
                if name == "bob" {
                    let joined = try await world.signIn(guest.email, #","invitation":"\#(token)""#)
                    #expect(joined.organization == ann.organization)
                } else {
                    let accepted = try await world.send(
                        "POST", "/api/auth/invitations/accept", as: guest, #"{"invitation":"\#(token)"}"#)
                    #expect(accepted.json?["role"]?.string == "member", "\(accepted.text)")
                    let switched = try await world.send(
                        "POST", "/api/auth/switch", as: guest, #"{"organization_id":"\#(ann.organization)"}"#)
                    let fresh = try #require(switched.json?["access_token"]?.string)
                    let me = try await world.send("GET", "/api/auth/me", as: .bearer(fresh))
                    #expect(me.json?["organization"]?["id"]?.string == ann.organization.description)
                }
            }
        }
    }

    @Test func `an invitation that was taken back, replaced or has expired is good for nothing`() async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let bob = try await world.newPerson("bob")
            let path = "/api/v1/organizations/\(ann.organization)/invitations"
            func invite() async throws -> (id: String, token: String) {
                let answer = try await world.send("POST", path, as: ann, #"{"email":"bob@example.com"}"#)
                return (answer.json?["id"]?.string ?? "", try await world.mailedToken(to: bob.email))
            }
            func accept(_ token: String) async throws -> Int {
                try await world.send(
                    "POST", "/api/auth/invitations/accept", as: bob, #"{"invitation":"\#(token)"}"#
                ).status
            }
            let replaced = try await invite()
            let revoked = try await invite()
            #expect(try await accept(replaced.token) == 404)
            #expect(try await world.send("DELETE", "\(path)/\(revoked.id)", as: ann).status == 204)
            #expect(try await world.send("DELETE", "\(path)/\(revoked.id)", as: ann).status == 404)
            #expect(try await accept(revoked.token) == 404)
            let late = try await invite()
            world.age(.seconds(8 * 86_400))
            let again = try await world.signIn(bob.email)
            let status = try await world.send(
                "POST", "/api/auth/invitations/accept", as: again, #"{"invitation":"\#(late.token)"}"#
            ).status
            #expect(status == 404)
        }
    }

    @Test func `an organization always has an owner, also when the last two leave at the same time`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let path = "/api/v1/organizations/\(ann.organization)"
            let alone = try await world.send("POST", "\(path)/leave", as: ann)
            #expect((alone.status, alone.code) == (409, "last_owner"))
            let demoted = try await world.send(
                "PATCH", "\(path)/members/\(ann.user)", as: ann, #"{"role":"member"}"#)
            #expect(demoted.code == "last_owner")
            for round in 0..<10 {
                let owners = try await world.send("GET", "\(path)/members", as: ann)
                #expect(owners.json?["data"]?.elements.filter { $0["role"]?.string == "owner" }.count == 1)
                let other = try await world.newMember("owner\(round)", of: ann, as: .owner)
                // Each takes the other's ownership away; one of them must fail.
                async let first = world.send(
                    "PATCH", "\(path)/members/\(other.user)", as: ann, #"{"role":"admin"}"#)
                async let second = world.send(
                    "PATCH", "\(path)/members/\(ann.user)", as: other, #"{"role":"admin"}"#)
                let statuses = [try await first.status, try await second.status]
                #expect(statuses.contains(204) && !statuses.allSatisfy { $0 == 204 }, "\(statuses)")
                if statuses[0] != 204 {
                    _ = try await world.send(
                        "PATCH", "\(path)/members/\(ann.user)", as: other, #"{"role":"owner"}"#)
                    _ = try await world.send(
                        "PATCH", "\(path)/members/\(other.user)", as: ann, #"{"role":"admin"}"#)
                }
            }
        }
    }

    @Test func `ownership is given away whole, and what was an owner is an admin`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let bob = try await world.newMember("bob", of: ann, as: .member)
            let path = "/api/v1/organizations/\(ann.organization)"
            let body = #"{"user_id":"\#(bob.user)"}"#
            #expect(try await world.send("POST", "\(path)/transfer", as: ann, body).status == 204)
            let again = try await world.send("POST", "\(path)/transfer", as: ann, body)
            #expect((again.status, again.code) == (403, "role_forbidden"))
            #expect(again.text.contains("organization.transfer"))
            let me = try await world.send("GET", path, as: bob)
            #expect(me.json?["role"]?.string == "owner")
        }
    }

    @Test func `an admin manages those below and nobody else`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let admin = try await world.newMember("admin", of: ann, as: .admin)
            let peer = try await world.newMember("peer", of: ann, as: .admin)
            let member = try await world.newMember("member", of: ann, as: .member)
            let path = "/api/v1/organizations/\(ann.organization)"
            func setRole(_ user: UUID, _ role: String) async throws -> Int {
                try await world.send(
                    "PATCH", "\(path)/members/\(user)", as: admin, #"{"role":"\#(role)"}"#
                ).status
            }
            #expect(try await setRole(member.user, "viewer") == 204)
            #expect(try await setRole(member.user, "admin") == 403)
            #expect(try await setRole(peer.user, "viewer") == 403)
            #expect(try await setRole(ann.user, "viewer") == 403)
            #expect(try await setRole(admin.user, "owner") == 403)
            let invited = try await world.send(
                "POST", "\(path)/invitations", as: admin, #"{"email":"x@example.com","role":"admin"}"#)
            #expect(invited.status == 403)
            #expect(try await world.send("DELETE", "\(path)/members/\(peer.user)", as: admin).status == 403)
            #expect(try await world.send("DELETE", "\(path)/members/\(member.user)", as: admin).status == 204)
        }
    }

    @Test func `whoever is removed is out at once, with their sessions there and their keys`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let bob = try await world.newMember("bob", of: ann, as: .member)
            let key = try await world.newKey(of: bob)
            #expect(try await world.models(key) == 200)
            let path = "/api/v1/organizations/\(ann.organization)/members/\(bob.user)"
            #expect(try await world.send("DELETE", path, as: ann).status == 204)
            #expect(try await world.models(key) == 401)
            #expect(try await world.send("GET", "/api/auth/me", as: bob).status == 401)
            #expect(try await world.refresh(bob.refreshToken).status == 401)
        }
    }

    @Test func `a deleted organization admits nobody, and an operator can bring it back for 30 days`()
        async throws
    {
        try await ManagementWorld.run { world in
            let operatorPerson = try await world.newPerson("operator")
            let bob = try await world.newPerson("bob")
            let key = try await world.newKey(of: bob)
            let path = "/api/v1/organizations/\(bob.organization)"
            #expect(try await world.send("DELETE", path, as: bob).status == 204)
            #expect(try await world.models(key) == 401)
            #expect(try await world.send("GET", path, as: bob).status == 401)
            let restore = "/api/v1/admin/organizations/\(bob.organization)/restore"
            #expect(try await world.send("POST", restore, as: operatorPerson).status == 204)
            #expect(try await world.models(key) == 200)
            _ = try await world.send("DELETE", path, as: bob)
            world.age(.seconds(30 * 86_400 + 60))
            let later = try await world.signIn(operatorPerson.email)
            #expect(try await world.send("POST", restore, as: later).status == 404)
        }
    }
}

extension ManagementWorld {
    func newKey(of person: Person, _ body: String = #"{"name":"key"}"#) async throws -> String {
        let answer = try await send("POST", "/api/auth/api-keys", as: person, body)
        return try #require(answer.json?["key"]?.string, "\(answer.text)")
    }

    /// What a client with `key` gets.
    func models(_ key: String) async throws -> Int {
        try await send("GET", "/v1/models", as: .bearer(key)).status
    }
}
