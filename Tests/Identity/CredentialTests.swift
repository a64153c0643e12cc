import Base
import Identity
import Postgres
import Testing

/// Keys for providers, where somebody else has their hands in the database.
struct CredentialTests {
    private static func credential(
        _ world: IdentityWorld, of organization: UUID?, _ provider: String = "openai"
    ) async throws -> (id: UUID, key: String) {
        let key = "sk-\(Random.base62(24))"
        let made = try await world.store.addCredential(
            NewCredential(
                provider: provider, name: "key", baseURL: "https://\(provider).example", key: Secret(key)),
            of: organization, by: .command
        ).credential
        return (made.id, key)
    }

    private static func key(_ world: IdentityWorld, _ id: UUID, of organization: UUID?) async throws -> String
    {
        try await world.store.key(ofCredential: id, of: organization).reveal()
    }

    @Test func `a key of which any byte was changed in the database stays shut`() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        try await IdentityWorld.run { world in
            var random = SeededGenerator(seed: seed)
            let organization = try await world.makeTenant("acme").organization
            let (id, key) = try await Self.credential(world, of: organization)
            for column in ["sealed", "wrapped_key"] {
                let count = try await world.owner.query(
                    "SELECT octet_length(\(unsafeSQL: column)) FROM provider_credentials WHERE id = \(id)"
                )[0].decode(Int32.self)
                for byte in 0..<Int(count) {
                    let change = 1 << Int.random(in: 0..<8, using: &random)
                    let flip: SQL = """
                        UPDATE provider_credentials SET \(unsafeSQL: column) = set_byte(\(unsafeSQL: column),
                            \(unsafeSQL: "\(byte)"), get_byte(\(unsafeSQL: column), \(unsafeSQL: "\(byte)")) # \(unsafeSQL: "\(change)"))
                        WHERE id = \(id)
                        """
                    try await world.owner.execute(flip)
                    await #expect(throws: Vault.Failure.doesNotOpen, "\(column) \(byte) \(change)") {
                        try await Self.key(world, id, of: organization)
                    }
                    try await world.owner.execute(flip)
                }
                for shorter in [
                    "''", "substr(\(column), 2)", "substr(\(column), 1, \(count - 1))",
                    "\(column) || '\\x00'",
                ] {
                    try await world.owner.execute("CREATE TABLE kept AS SELECT * FROM provider_credentials")
                    try await world.owner.execute(
                        "UPDATE provider_credentials SET \(unsafeSQL: column) = \(unsafeSQL: shorter) WHERE id = \(id)"
                    )
                    await #expect(throws: Vault.Failure.doesNotOpen, "\(column) = \(shorter)") {
                        try await Self.key(world, id, of: organization)
                    }
                    try await world.owner.execute(
                        """
                        UPDATE provider_credentials AS now SET \(unsafeSQL: column) = kept.\(unsafeSQL: column)
                        FROM kept WHERE now.id = kept.id
                        """)
                    try await world.owner.execute("DROP TABLE kept")
                }
            }
            for version in [-1, 0, 2, 32_767] {
                try await world.owner.execute(
                    "UPDATE provider_credentials SET master_version = \(unsafeSQL: "\(version)") WHERE id = \(id)"
                )
                await #expect(throws: Vault.Failure.unknownVersion) {
                    try await Self.key(world, id, of: organization)
                }
            }
            try await world.owner.execute(
                "UPDATE provider_credentials SET master_version = 1 WHERE id = \(id)")
            #expect(try await Self.key(world, id, of: organization) == key)
        }
    }

    @Test func `a version that the file knows is not enough`() async throws {
        let file = MasterKeys.newFile()
        try await IdentityWorld.run(masterKeys: file) { world in
            let organization = try await world.makeTenant("acme").organization
            let (id, key) = try await Self.credential(world, of: organization)
            let store = try world.store(masterKeys: file + MasterKeys.newFile(version: 2))
            #expect(try await store.key(ofCredential: id, of: organization).reveal() == key)
            try await world.owner.execute("UPDATE provider_credentials SET master_version = 2")
            await #expect(throws: Vault.Failure.doesNotOpen) {
                try await store.key(ofCredential: id, of: organization)
            }
        }
    }

    @Test func `a key that was moved or copied to any other place stays shut, and gives nobody another's`()
        async throws
    {
        try await IdentityWorld.run { world in
            let mine = try await world.makeTenant("mine").organization
            let theirs = try await world.makeTenant("theirs").organization
            for organization in [mine, theirs, nil] {
                // What is theirs is copied over what I have: of my organization, of mine at another provider, of another
                // organization, of the operator.
                let source = try await Self.credential(world, of: theirs)
                for provider in ["openai", "anthropic"] {
                    let target = try await Self.credential(world, of: organization, provider)
                    for columns in [
                        "sealed, wrapped_key, master_version", "sealed, master_version",
                        "wrapped_key, master_version",
                    ] {
                        try await world.owner.execute(
                            """
                            UPDATE provider_credentials SET (\(unsafeSQL: columns)) =
                                (SELECT \(unsafeSQL: columns) FROM provider_credentials WHERE id = \(source.id))
                            WHERE id = \(target.id)
                            """)
                        await #expect(throws: Vault.Failure.doesNotOpen, "\(columns)") {
                            try await Self.key(world, target.id, of: organization)
                        }
                    }
                }
                #expect(try await Self.key(world, source.id, of: theirs) == source.key)
            }
        }
    }

    @Test func `a row that was moved as a whole stays shut where it is now`() async throws {
        try await IdentityWorld.run { world in
            let mine = try await world.makeTenant("mine").organization
            let theirs = try await world.makeTenant("theirs").organization
            let places: [(change: SQL, organization: UUID?)] = [
                ("org_id = \(mine)", mine), ("org_id = NULL", nil), ("provider = 'anthropic'", theirs),
                ("provider = 'OpenAI'", theirs),
            ]
            for (change, organization) in places {
                let (id, _) = try await Self.credential(world, of: theirs)
                await #expect(throws: Problem.self) { try await Self.key(world, id, of: mine) }
                try await world.owner.execute("UPDATE provider_credentials SET \(change) WHERE id = \(id)")
                await #expect(throws: Vault.Failure.doesNotOpen, "\(change)") {
                    try await Self.key(world, id, of: organization)
                }
            }
            let (id, _) = try await Self.credential(world, of: nil)
            try await world.owner.execute("UPDATE provider_credentials SET org_id = \(mine) WHERE id = \(id)")
            await #expect(throws: Vault.Failure.doesNotOpen) { try await Self.key(world, id, of: mine) }
            let other = try await Self.credential(world, of: mine)
            let moved = UUID.make()
            try await world.owner.execute(
                "UPDATE provider_credentials SET id = \(moved) WHERE id = \(other.id)")
            await #expect(throws: Vault.Failure.doesNotOpen) { try await Self.key(world, moved, of: mine) }
        }
    }

    @Test func `a new address takes the key away for good, and a new key brings one`() async throws {
        try await IdentityWorld.run { world in
            let organization = try await world.makeTenant("acme").organization
            let before = "https://openai.example"
            let addresses: [String?] = ["https://evil.example", "https://openai.example/", nil]
            for address in addresses {
                let (id, key) = try await Self.credential(world, of: organization)
                var patch = CredentialPatch()
                patch.name = "renamed"
                patch.baseURL = .some(before)
                var changed = try await world.store.changeCredential(
                    id, of: organization, patch, by: .command
                ).credential
                #expect(changed.lastFour == String(key.suffix(4)))
                #expect(try await Self.key(world, id, of: organization) == key)

                patch.baseURL = .some(address)
                changed = try await world.store.changeCredential(
                    id, of: organization, patch, by: .command
                ).credential
                #expect(changed.baseURL == address)
                #expect(changed.lastFour == nil)
                await #expect(throws: Problem.self) { try await Self.key(world, id, of: organization) }
                let isGone = try await world.owner.query(
                    """
                    SELECT sealed IS NULL AND wrapped_key IS NULL AND master_version IS NULL
                    FROM provider_credentials WHERE id = \(id)
                    """)[0].decode(Bool.self)
                #expect(isGone)

                patch.baseURL = .some(before)
                changed = try await world.store.changeCredential(
                    id, of: organization, patch, by: .command
                ).credential
                #expect(changed.lastFour == nil)
                await #expect(throws: Problem.self) { try await Self.key(world, id, of: organization) }

                patch.baseURL = .some("https://third.example")
                patch.key = Secret("sk-new-\(key)")
                _ = try await world.store.changeCredential(id, of: organization, patch, by: .command)
                #expect(try await Self.key(world, id, of: organization) == "sk-new-\(key)")
            }
        }
    }
}
