import Base
import Identity
import JSON
import Loop
import Testing

struct AccountTests {
    @Test func `whoever signs up owns an organization and is the operator if they are the first`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let me = try await world.send("GET", "/api/auth/me", as: ann)
            #expect(me.json?["organization"]?["role"]?.string == "owner")
            #expect(me.json?["account"]?["operator"]?.bool == true)
            let bob = try await world.newPerson("bob")
            let other = try await world.send("GET", "/api/auth/me", as: bob)
            #expect(other.json?["account"]?["operator"]?.bool == false)
            #expect(ann.organization != bob.organization)
        }
    }

    @Test func `signing up with a known address looks the same, changes nothing and tells the mailbox`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let again = try await world.send(
                "POST", "/api/auth/register", #"{"email":"ANN@example.com","password":"another password"}"#)
            #expect(again.status == 202)
            #expect(again.body == [])
            let mail = try await world.mail(to: "ANN@example.com")
            #expect(mail.contains("already"))
            _ = try await world.signIn(ann.email)
            let intruder = try await world.send(
                "POST", "/api/auth/login", #"{"email":"ann@example.com","password":"another password"}"#)
            #expect(intruder.status == 401)
        }
    }

    @Test func `an unknown address, a wrong password, and a disabled account get one and the same answer`()
        async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let bob = try await world.newPerson("bob")
            let disabled = try await world.send(
                "POST", "/api/v1/admin/users/\(bob.user)/disable", as: ann)
            #expect(disabled.status == 204, "\(disabled.text)")
            var texts: Set<String> = []
            for (email, password) in [
                ("nobody@example.com", ManagementWorld.password), ("ann@example.com", "wrong password"),
                ("bob@example.com", ManagementWorld.password),
            ] {
                let answer = try await world.send(
                    "POST", "/api/auth/login", #"{"email":"\#(email)","password":"\#(password)"}"#)
                #expect(answer.status == 401)
                texts.insert(answer.json?["error"]?["message"]?.string ?? "")
            }
            #expect(texts.count == 1)
            #expect(try await world.send("GET", "/api/auth/me", as: bob).status == 401)
        }
    }

    @Test func `a forgotten password is reset once by mail, and all sessions end`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let unknown = try await world.send(
                "POST", "/api/auth/password/forgot", #"{"email":"nobody@example.com"}"#)
            let known = try await world.send(
                "POST", "/api/auth/password/forgot", #"{"email":"ann@example.com"}"#)
            #expect((unknown.status, known.status) == (202, 202))
            let token = try await world.mailedToken(to: ann.email)
            let body = #"{"token":"\#(token)","password":"a password of today"}"#
            #expect(try await world.send("POST", "/api/auth/password/reset", body).status == 204)
            #expect(try await world.send("POST", "/api/auth/password/reset", body).status == 401)
            #expect(try await world.send("GET", "/api/auth/me", as: ann).status == 401)
            let old = try await world.send(
                "POST", "/api/auth/login",
                #"{"email":"ann@example.com","password":"\#(ManagementWorld.password)"}"#)
            #expect(old.status == 401)
            _ = try await world.signIn(ann.email, password: "a password of today")
        }
    }

    @Test func `what is only told to a mailbox takes a fixed time, so that no clock tells it`() async throws {
        try await ManagementWorld.run { world in
            _ = try await world.newPerson("ann")
            for (path, rest) in [
                ("/api/auth/password/forgot", ""), ("/api/auth/verify-email/resend", ""),
                ("/api/auth/register", #","password":"\#(ManagementWorld.password)""#),
            ] {
                for email in ["ann@example.com", "nobody@example.com"] {
                    let start = Instant.now()
                    let answer = try await world.send("POST", path, #"{"email":"\#(email)"\#(rest)}"#)
                    #expect(answer.status == 202, "\(path)")
                    #expect(Instant.now() - start >= .milliseconds(50), "\(path) \(email)")
                }
            }
        }
    }

    @Test func `a link in a mail is good for its time only`() async throws {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            _ = try await world.send("POST", "/api/auth/password/forgot", #"{"email":"ann@example.com"}"#)
            let token = try await world.mailedToken(to: ann.email)
            world.age(.seconds(3601))
            let late = try await world.send(
                "POST", "/api/auth/password/reset", #"{"token":"\#(token)","password":"a password of today"}"#
            )
            #expect(late.status == 401)
            #expect(late.json?["error"]?["param"]?.string == "token")
        }
    }

    @Test func `where addresses must be confirmed, nobody signs in before they are`() async throws {
        var options = ManagementWorld.Options()
        options.requiresVerifiedEmail = true
        try await ManagementWorld.run(options) { world in
            _ = try await world.send(
                "POST", "/api/auth/register",
                #"{"email":"ann@example.com","password":"\#(ManagementWorld.password)"}"#)
            let login = #"{"email":"ann@example.com","password":"\#(ManagementWorld.password)"}"#
            #expect(try await world.send("POST", "/api/auth/login", login).status == 401)
            let token = try await world.mailedToken(to: "ann@example.com")
            let confirmed = try await world.send(
                "POST", "/api/auth/verify-email", #"{"token":"\#(token)"}"#)
            #expect(confirmed.status == 204)
            #expect(try await world.send("POST", "/api/auth/login", login).status == 200)
        }
    }

    @Test func `an instance that is closed takes nobody, one by invitation the invited`() async throws {
        for mode in [IdentityStore.Registration.closed, .invite] {
            var options = ManagementWorld.Options()
            options.registration = mode
            try await ManagementWorld.run(options) { world in
                let stranger = try await world.send(
                    "POST", "/api/auth/register",
                    #"{"email":"eve@example.com","password":"\#(ManagementWorld.password)"}"#)
                #expect(stranger.status == 403)
                #expect(stranger.code == "registration_closed")
                if mode == .closed { return }
                let hash = PasswordHash(of: Secret(ManagementWorld.password))
                _ = try await world.store.found(
                    organization: "Acme", owner: "ann@example.com", password: hash, by: .command)
                let ann = try await world.signIn("ann@example.com")
                let bob = try await world.newMember("bob", of: ann, as: .member)
                #expect(bob.organization == ann.organization)
            }
        }
    }

    @Test func `a second factor is asked for once it is confirmed, and each code is good once`() async throws
    {
        try await ManagementWorld.run { world in
            let ann = try await world.newPerson("ann")
            let begun = try await world.send("POST", "/api/auth/totp", as: ann)
            let secret = Self.base32(begun.json?["secret"]?.string ?? "")
            #expect(begun.json?["uri"]?.string?.hasPrefix("otpauth://totp/") == true)
            // Nothing is asked for yet.
            _ = try await world.signIn(ann.email)
            func code() -> String { TOTP.code(secret: secret, step: TOTP.step(at: .now())) }
            let confirmed = try await world.send(
                "POST", "/api/auth/totp/confirm", as: ann, #"{"code":"\#(code())"}"#)
            let recovery = confirmed.json?["recovery_codes"]?.elements.compactMap(\.string) ?? []
            #expect(recovery.count == 10, "\(confirmed.text)")

            let login = #"{"email":"ann@example.com","password":"\#(ManagementWorld.password)"}"#
            let bare = try await world.send("POST", "/api/auth/login", login)
            #expect((bare.status, bare.code) == (401, "totp_required"))
            func signIn(_ code: String) async throws -> Int {
                let body = login.dropLast() + #","code":"\#(code)"}"#
                return try await world.send("POST", "/api/auth/login", String(body)).status
            }
            // The code that confirmed it was used.
            let used = try await signIn(code())
            #expect(used == 401)
            let first = try await signIn(recovery[0])
            let second = try await signIn(recovery[0])
            let other = try await signIn(recovery[1])
            #expect((first, second, other) == (200, 401, 200))
        }
    }

    @Test func `guessing is slowed down exactly as the answer says, for known and unknown addresses alike`()
        async throws
    {
        try await ManagementWorld.run { world in
            _ = try await world.newPerson("ann")
            for email in ["ann@example.com", "nobody@example.com"] {
                let body = #"{"email":"\#(email)","password":"wrong password"}"#
                for _ in 0..<5 {
                    #expect(try await world.send("POST", "/api/auth/login", body).status == 401)
                }
                let refused = try await world.send("POST", "/api/auth/login", body)
                #expect((refused.status, refused.code) == (429, "too_many_attempts"))
                let wait = try #require(Int(refused["retry-after"] ?? ""))
                #expect((1...2).contains(wait))
                try await world.loop.sleep(for: .seconds(wait))
                #expect(try await world.send("POST", "/api/auth/login", body).status == 401)
                let again = try await world.send("POST", "/api/auth/login", body)
                #expect(again.status == 429)
                #expect(Int(again["retry-after"] ?? "") == 2)
            }
        }
    }

    /// As an authenticator reads it.
    private static func base32(_ text: String) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        var bytes: [UInt8] = []
        var (bits, count) = (0, 0)
        for character in text {
            guard let value = alphabet.firstIndex(of: character) else { continue }
            (bits, count) = (bits << 5 | value, count + 5)
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bytes
    }
}
