import Base
import Identity
import Loop
import Postgres
import Testing

/// The master key is rotated while the instance is at work.
struct RewrappingTests {
    private static let first = String(MasterKeys.newFile())
    private static let second = String(MasterKeys.newFile(version: 2))

    private static let tables = [
        "instance_secrets", "signing_keys", "totp_devices", "mail_outbox", "sso_connections",
        "provider_credentials", "budgets",
    ]

    /// What was stored under the first key: enough to ask for all of it again.
    private struct Stored {
        var organizations: [UUID] = []
        /// The key and the organization of each credential; `nil` is the operator.
        var credentials: [UUID: (key: String, organization: UUID?)] = [:]
        var people: [IdentityWorld.Tenant] = []
        var secondFactors: [UUID: [UInt8]] = [:]
        var singleSignOn: [UUID: UUID] = [:]
        var budgets: [UUID: UUID] = [:]
        var instance: [InstanceSecrets.Name: [UInt8]] = [:]
        var signingKeys: [UUID: [UInt8]] = [:]
        var mails: [String: String] = [:]
    }

    @Test func `every secret is rewrapped while others read, change, add and delete, and none is lost`()
        async throws
    {
        try await IdentityWorld.run(masterKeys: Self.first) { world in
            let stored = try await Self.store(in: world, credentialCount: 10_000)
            let both = Vault(try MasterKeys(parsing: Secret(Self.first + Self.second)))
            let work = Work(try world.store(masterKeys: Self.first + Self.second), stored.credentials)
            let workers = (0..<6).map { number in
                world.loop.spawn { await work.run(number, organizations: stored.organizations) }
            }
            var reached: [String: Rewrapping.Progress] = [:]
            try await Rewrapping(world.pool, both).run { reached[$0.table] = $0 }
            work.isStopping = true
            for worker in workers { _ = await worker.value }

            #expect(work.faults == [])
            #expect(work.counts.allSatisfy { $0.value > 0 }, "\(work.counts)")
            #expect(Set(reached.keys) == Set(Self.tables))
            #expect(reached.values.allSatisfy { $0.unreadable.isEmpty && $0.rewrapped > 0 }, "\(reached)")
            #expect(try await Self.countBelowNewest(world) == 0)
            try await Self.checkAll(stored, work.keys, world)

            var again = 0
            try await Rewrapping(world.pool, both).run { again = max(again, $0.rewrapped) }
            #expect(again == 0)
        }
    }

    @Test func `a secret that is replaced in the very moment keeps its new value`() async throws {
        try await IdentityWorld.run(masterKeys: Self.first) { world in
            let organization = try await world.makeTenant("acme").organization
            let made = try await world.store.addCredential(
                NewCredential(provider: "openai", name: "key", baseURL: nil, key: Secret("sk-old")),
                of: organization, by: .command
            ).credential
            let vault = Vault(try MasterKeys(parsing: Secret(Self.first + Self.second)))
            let new = vault.seal(Array("sk-new".utf8), at: Self.place(made.id, organization, "openai"))
            try await world.owner.execute("BEGIN")
            try await world.owner.execute(
                """
                UPDATE provider_credentials SET sealed = \(new.sealed), wrapped_key = \(new.wrappedKey),
                    master_version = \(new.masterVersion) WHERE id = \(made.id)
                """)
            let rewrapping = Task(executorPreference: world.loop) {
                try await Rewrapping(world.pool, vault).run { _ in }
            }
            // It has read the old one, and waits for whoever holds the row.
            while true {
                let isWaiting = try await world.owner.query(
                    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")[0].decode(Bool.self)
                if isWaiting { break }
                try await world.loop.sleep(for: .milliseconds(2))
            }
            try await world.owner.execute("COMMIT")
            try await rewrapping.value
            let store = try world.store(masterKeys: Self.second)
            #expect(try await store.key(ofCredential: made.id, of: organization).reveal() == "sk-new")
        }
    }

    @Test func `what does not open is told, stays as it is, and holds nothing up`() async throws {
        try await IdentityWorld.run(masterKeys: Self.first) { world in
            let stored = try await Self.store(in: world, credentialCount: 450)
            let broken = Set(stored.credentials.keys.shuffled().prefix(220))
            for id in broken {
                try await world.owner.execute(
                    """
                    UPDATE provider_credentials SET wrapped_key = set_byte(wrapped_key, 0, get_byte(wrapped_key, 0) # 1)
                    WHERE id = \(id)
                    """)
            }
            let both = Vault(try MasterKeys(parsing: Secret(Self.first + Self.second)))
            var last: Rewrapping.Progress?
            try await Rewrapping(world.pool, both).run { last = $0 }
            #expect(last?.table == "provider_credentials")
            #expect(last.map { Set($0.unreadable) } == broken)
            #expect(last?.unreadable.count == broken.count)
            #expect(last?.rewrapped == stored.credentials.count - broken.count)
            #expect(try await Self.countBelowNewest(world) == Int64(broken.count))
            let store = try world.store(masterKeys: Self.second)
            for owner in stored.organizations + [nil] {
                let whole = stored.credentials.filter {
                    $0.value.organization == owner && !broken.contains($0.key)
                }
                #expect(try await store.keys(of: owner) == whole.mapValues(\.key))
            }
        }
    }

    // MARK: What is stored before

    private static func store(in world: IdentityWorld, credentialCount: Int) async throws -> Stored {
        var stored = Stored()
        for number in 0..<12 {
            let tenant = try await world.makeTenant("tenant-\(number)")
            stored.people.append(tenant)
            stored.organizations.append(tenant.organization)
            _ = try await world.store.beginTOTP(of: tenant.user)
            stored.secondFactors[tenant.user] = try await secondFactor(of: tenant.user, world)
            try await world.store.requestPasswordReset(of: tenant.email)
            stored.singleSignOn[try await addSingleSignOn(tenant.organization, world)] = tenant.organization
            stored.budgets[try await addBudget(tenant.organization, world)] = tenant.organization
        }
        for mail in try await world.store.unsentMails(to: nil) { stored.mails[mail.recipient] = mail.text }
        let secrets = InstanceSecrets(world.pool, world.vault)
        for name in InstanceSecrets.Name.allCases {
            stored.instance[name] = try await secrets.secret(name)
        }
        let keys = SigningKeyStore(world.pool, world.vault, world.audit)
        _ = try await keys.load()
        _ = try await keys.rotate(by: .system)
        for key in try await keys.load() { stored.signingKeys[key.id] = key.privateKey.bytes }
        try await addCredentials(credentialCount, &stored, world)
        return stored
    }

    private static func secondFactor(of user: UUID, _ world: IdentityWorld) async throws -> [UInt8] {
        let row = try await world.owner.query(
            "SELECT sealed, wrapped_key, master_version FROM totp_devices WHERE user_id = \(user)")[0]
        let (sealed, wrappedKey, version) = try row.decode(([UInt8], [UInt8], Int16).self)
        return try world.vault.open(
            Sealed(sealed: sealed, wrappedKey: wrappedKey, masterVersion: version),
            at: Vault.Place(kind: "totp", organization: nil, row: user))
    }

    private static let singleSignOnSecret = Array("client secret".utf8)

    private static func singleSignOnPlace(_ id: UUID, _ organization: UUID) -> Vault.Place {
        Vault.Place(kind: "sso_connection", organization: organization, row: id)
    }

    private static func addSingleSignOn(_ organization: UUID, _ world: IdentityWorld) async throws -> UUID {
        let id = UUID.make()
        let sealed = world.vault.seal(singleSignOnSecret, at: singleSignOnPlace(id, organization))
        try await world.owner.execute(
            """
            INSERT INTO sso_connections (id, org_id, issuer, client_id, sealed, wrapped_key, master_version)
            VALUES (\(id), \(organization), 'https://idp.example', 'hivegate', \(sealed.sealed),
                \(sealed.wrappedKey), \(sealed.masterVersion))
            """)
        return id
    }

    private static let webhookSecret = Secret("whsec_1")

    private static func addBudget(_ organization: UUID, _ world: IdentityWorld) async throws -> UUID {
        let id = UUID.make()
        let sealed = world.store.sealWebhookSecret(webhookSecret, of: id, in: organization)
        try await world.owner.execute(
            """
            INSERT INTO budgets (id, org_id, name, subject, period, amount_nano, is_soft, thresholds, alert_emails,
                webhook_url, sealed, wrapped_key, master_version, created_at)
            VALUES (\(id), \(organization), 'budget', 'organization', 'month', 1, false, '{}', '{}', 'https://hook',
                \(sealed.sealed), \(sealed.wrappedKey), \(sealed.masterVersion), now())
            """)
        return id
    }

    private static func place(_ id: UUID, _ organization: UUID?, _ provider: String) -> Vault.Place {
        Vault.Place(kind: "provider_credential", organization: organization, row: id, detail: provider)
    }

    /// Past the store, in few statements; sealed as it seals them.
    private static func addCredentials(
        _ count: Int, _ stored: inout Stored, _ world: IdentityWorld
    ) async throws {
        let owners: [UUID?] = stored.organizations + [nil]
        let providers = ["openai", "anthropic", "mistral"]
        for start in stride(from: 0, to: count, by: 500) {
            var rows: [SQL] = []
            for number in start..<min(start + 500, count) {
                let (id, organization) = (UUID.make(), owners[number % owners.count])
                let (provider, key) = (
                    providers[number % providers.count], "sk-\(number)-\(Random.base62(16))"
                )
                let sealed = world.vault.seal(Array(key.utf8), at: place(id, organization, provider))
                rows.append(
                    """
                    (\(id), \(organization), \(provider), 'key', \(sealed.sealed), \(sealed.wrappedKey),
                        \(sealed.masterVersion))
                    """)
                stored.credentials[id] = (key, organization)
            }
            try await world.owner.execute(
                """
                INSERT INTO provider_credentials (id, org_id, provider, name, sealed, wrapped_key, master_version)
                VALUES \(SQL.joined(rows, by: ", "))
                """)
        }
    }

    // MARK: What holds after

    private static func countBelowNewest(_ world: IdentityWorld) async throws -> Int64 {
        var count: Int64 = 0
        for table in tables {
            count += try await world.owner.query(
                "SELECT count(*) FROM \(unsafeSQL: table) WHERE master_version IS DISTINCT FROM 2"
            )[0].decode(Int64.self)
        }
        return count
    }

    /// Everything opens for a process that has never heard of the first key, and is what it was.
    private static func checkAll(
        _ stored: Stored, _ keys: [UUID: Work.Key], _ world: IdentityWorld
    ) async throws {
        let store = try world.store(masterKeys: second)
        let vault = Vault(try MasterKeys(parsing: Secret(second)))
        let count = try await world.owner.query("SELECT count(*) FROM provider_credentials")[0]
            .decode(Int64.self)
        #expect(count == Int64(keys.count))
        for owner in stored.organizations + [nil] {
            let theirs = keys.filter { $0.value.organization == owner }
            #expect(try await store.keys(of: owner) == theirs.mapValues(\.text))
        }
        let secrets = InstanceSecrets(world.pool, vault)
        for (name, secret) in stored.instance { #expect(try await secrets.secret(name) == secret) }
        let signingKeys = try await SigningKeyStore(world.pool, vault, world.audit).load()
        #expect(
            Dictionary(uniqueKeysWithValues: signingKeys.map { ($0.id, $0.privateKey.bytes) })
                == stored.signingKeys)
        for (user, secret) in stored.secondFactors {
            let code = TOTP.code(secret: secret, step: TOTP.step(at: .now()))
            #expect(try await store.confirmTOTP(code, of: user, by: .command).count == 10)
        }
        for mail in try await store.unsentMails(to: nil) {
            #expect(stored.mails[mail.recipient] == mail.text)
        }
        for (id, organization) in stored.singleSignOn {
            let row = try await world.owner.query(
                "SELECT sealed, wrapped_key, master_version FROM sso_connections WHERE id = \(id)")[0]
            let (sealed, wrappedKey, version) = try row.decode(([UInt8], [UInt8], Int16).self)
            let secret = try vault.open(
                Sealed(sealed: sealed, wrappedKey: wrappedKey, masterVersion: version),
                at: singleSignOnPlace(id, organization))
            #expect(secret == singleSignOnSecret)
        }
        for (id, organization) in stored.budgets {
            let row = try await world.owner.query(
                "SELECT sealed, wrapped_key, master_version FROM budgets WHERE id = \(id)")[0]
            #expect(try store.openWebhookSecret(row, of: id, in: organization) == webhookSecret)
            #expect(try store.openWebhookSecret(row, of: id, in: .make()) == nil)
        }
        for organization in stored.organizations {
            #expect(try await AuditVerification(world.pool, world.audit).verify(organization).breach == nil)
        }
    }
}

/// What people do with credentials meanwhile, and what each key ought to be.
// Confined to its loop.
private final class Work: @unchecked Sendable {
    struct Key {
        var text: String
        var organization: UUID?
    }

    private let store: IdentityStore
    private(set) var keys: [UUID: Key]
    private(set) var faults: [String] = []
    private(set) var counts = ["read": 0, "change": 0, "add": 0, "delete": 0]
    /// Changed or deleted at this moment by one of the others.
    private var isTaken: Set<UUID> = []
    var isStopping = false

    init(_ store: IdentityStore, _ credentials: [UUID: (key: String, organization: UUID?)]) {
        self.store = store
        keys = credentials.mapValues { Key(text: $0.key, organization: $0.organization) }
    }

    func run(_ number: Int, organizations: [UUID]) async {
        while !isStopping {
            do {
                switch number {
                case 0: try await change()
                case 1: try await delete()
                case 2: try await add(to: organizations)
                default: try await read()
                }
            } catch {
                faults.append("worker \(number): \(error)")
            }
        }
    }

    private func take() -> (UUID, Key)? {
        guard let (id, key) = keys.randomElement(), isTaken.insert(id).inserted else { return nil }
        return (id, key)
    }

    private func read() async throws {
        guard let (id, key) = take() else { return }
        defer { isTaken.remove(id) }
        let text = try await store.key(ofCredential: id, of: key.organization).reveal()
        if text != key.text { faults.append("\(id) is \(text) and was \(key.text)") }
        counts["read", default: 0] += 1
    }

    private func change() async throws {
        guard let (id, key) = take() else { return }
        defer { isTaken.remove(id) }
        var patch = CredentialPatch()
        patch.key = Secret("sk-changed-\(Random.base62(16))")
        _ = try await store.changeCredential(id, of: key.organization, patch, by: .command)
        keys[id]?.text = patch.key?.reveal() ?? ""
        counts["change", default: 0] += 1
    }

    private func delete() async throws {
        guard let (id, key) = take() else { return }
        defer { isTaken.remove(id) }
        _ = try await store.deleteCredential(id, of: key.organization, by: .command)
        keys[id] = nil
        counts["delete", default: 0] += 1
    }

    private func add(to organizations: [UUID]) async throws {
        let organization = organizations.randomElement()
        let text = "sk-added-\(Random.base62(16))"
        let made = try await store.addCredential(
            NewCredential(provider: "openai", name: "added", baseURL: nil, key: Secret(text)),
            of: organization, by: .command
        ).credential
        keys[made.id] = Key(text: text, organization: organization)
        counts["add", default: 0] += 1
    }
}
