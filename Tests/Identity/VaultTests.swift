import Base
import Identity
import Testing

struct VaultTests {
    private static let first = String(MasterKeys.newFile())
    private static let second = first + MasterKeys.newFile(version: 2)
    private static let secret = Array("sk-provider-key".utf8)

    private func vault(_ file: String = first) throws -> Vault {
        Vault(try MasterKeys(parsing: Secret(file)))
    }

    private let place = Vault.Place(
        kind: "provider_credential", organization: .make(), row: .make(), detail: "openai")

    /// Every other place that differs in one thing, and some whose parts run into each other.
    private var elsewhere: [Vault.Place] {
        [
            Vault.Place(
                kind: place.kind, organization: .make(), row: place.row, detail: place.detail),
            Vault.Place(kind: place.kind, organization: nil, row: place.row, detail: place.detail),
            Vault.Place(
                kind: place.kind, organization: place.organization, row: .make(), detail: place.detail),
            Vault.Place(
                kind: place.kind, organization: place.row, row: place.organization ?? place.row,
                detail: place.detail),
            Vault.Place(
                kind: "totp", organization: place.organization, row: place.row, detail: place.detail),
            Vault.Place(
                kind: place.kind, organization: place.organization, row: place.row, detail: "anthropic"),
            Vault.Place(kind: place.kind, organization: place.organization, row: place.row),
            Vault.Place(
                kind: place.kind + "o", organization: place.organization, row: place.row, detail: "penai"),
            Vault.Place(
                kind: "", organization: place.organization, row: place.row,
                detail: place.kind + place.detail),
        ]
    }

    @Test func `a secret opens where it was sealed, and nowhere else`() throws {
        let vault = try vault()
        let sealed = vault.seal(Self.secret, at: place)
        #expect(try vault.open(sealed, at: place) == Self.secret)
        for other in elsewhere {
            #expect(throws: Vault.Failure.doesNotOpen) { try vault.open(sealed, at: other) }
        }
        #expect(vault.seal(Self.secret, at: place) != sealed)
        #expect(try vault.open(vault.seal([], at: place), at: place) == [])
    }

    @Test func `a secret of which any bit was changed stays shut`() throws {
        let vault = try vault()
        let sealed = vault.seal(Self.secret, at: place)
        for bit in 0..<(sealed.sealed.count * 8) {
            var changed = sealed
            changed.sealed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: Vault.Failure.doesNotOpen) { try vault.open(changed, at: place) }
        }
        for bit in 0..<(sealed.wrappedKey.count * 8) {
            var changed = sealed
            changed.wrappedKey[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: Vault.Failure.doesNotOpen) { try vault.open(changed, at: place) }
        }
        for count in 0..<sealed.wrappedKey.count {
            var changed = sealed
            changed.wrappedKey = Array(sealed.wrappedKey[..<count])
            #expect(throws: Vault.Failure.doesNotOpen) { try vault.open(changed, at: place) }
        }
    }

    @Test func `the halves of two secrets do not fit together`() throws {
        let vault = try vault()
        let one = vault.seal(Self.secret, at: place)
        var mixed = vault.seal(Array("other".utf8), at: place)
        mixed.wrappedKey = one.wrappedKey
        #expect(throws: Vault.Failure.doesNotOpen) { try vault.open(mixed, at: place) }
        // A wrapped key is no sealed secret, even of the same place.
        let swapped = Sealed(sealed: one.wrappedKey, wrappedKey: one.sealed, masterVersion: 1)
        #expect(throws: Vault.Failure.doesNotOpen) { try vault.open(swapped, at: place) }
    }

    @Test func `after a rotation the secret is rewrapped, opens as before and is no freer to move`() throws {
        let before = try vault()
        let after = try vault(Self.second)
        let sealed = before.seal(Self.secret, at: place)
        #expect(try before.rewrap(sealed, at: place) == nil)
        #expect(try after.open(sealed, at: place) == Self.secret)

        let rewrapped = try #require(try after.rewrap(sealed, at: place))
        #expect(rewrapped.sealed == sealed.sealed)
        #expect(rewrapped.wrappedKey != sealed.wrappedKey)
        #expect(rewrapped.masterVersion == 2)
        #expect(try after.rewrap(rewrapped, at: place) == nil)
        #expect(try after.open(rewrapped, at: place) == Self.secret)
        #expect(throws: Vault.Failure.unknownVersion) { try before.open(rewrapped, at: place) }
        for other in elsewhere {
            #expect(throws: Vault.Failure.doesNotOpen) { try after.open(rewrapped, at: other) }
            #expect(throws: Vault.Failure.doesNotOpen) { try after.rewrap(sealed, at: other) }
        }
        for (changed, version) in [(sealed, Int16(2)), (rewrapped, 1)] {
            var changed = changed
            changed.masterVersion = version
            #expect(throws: Vault.Failure.doesNotOpen) { try after.open(changed, at: place) }
        }
        // Once the old key is taken out of the file, what was rewrapped goes on.
        let later = try vault(String(Self.second.dropFirst(Self.first.count)))
        #expect(try later.open(rewrapped, at: place) == Self.secret)
        #expect(throws: Vault.Failure.unknownVersion) { try later.rewrap(sealed, at: place) }
    }

    @Test func `a version says which key, not only its number`() throws {
        // The same key under another number: only the associated data differ.
        let moved = Self.first.replacing("\n1:", with: "\n2:")
        var sealed = try vault().seal(Self.secret, at: place)
        sealed.masterVersion = 2
        let other = try vault(moved)
        #expect(throws: Vault.Failure.doesNotOpen) { try other.open(sealed, at: place) }
    }

    @Test func `the file of master keys may have comments, empty lines and any order`() throws {
        let key = Base64.encode(Random.bytes(32))
        let text = "# ours\r\n\r\n  3:\(Base64.encode(Random.bytes(32)))  \r\n#9:x\n\n1:\(key)"
        let keys = try MasterKeys(parsing: Secret(text))
        #expect(keys.newestVersion == 3)
        let old = Vault(try MasterKeys(parsing: Secret("1:\(key)")))
        let sealed = old.seal(Self.secret, at: place)
        #expect(try Vault(keys).open(sealed, at: place) == Self.secret)
        #expect(try MasterKeys(parsing: Secret(MasterKeys.newFile(version: 7))).newestVersion == 7)
        #expect(MasterKeys.newFile() != MasterKeys.newFile())
    }

    @Test(arguments: [
        "", "# nothing", "KEY", "1", "1:", ":KEY", "0:KEY", "-1:KEY", "32768:KEY", "x:KEY", "1:KEYKEY",
        "1 :KEY",
        "1:KEY\n1:KEY", "1:KEY\n2:SHORT", "1:KEY # mine",
    ])
    func `a file that is malformed is refused, and no key is in the message`(text: String) {
        let key = Base64.encode([UInt8](repeating: 0xA5, count: 32))
        let text = text.replacing("KEY", with: key).replacing("SHORT", with: "paWl")
        #expect {
            try MasterKeys(parsing: Secret(text))
        } throws: { error in
            !"\(error)\(String(reflecting: error))".contains("paWl")
        }
    }

    @Test func `master keys print as nothing of themselves`() throws {
        let key = Base64.encode([UInt8](repeating: 0xA5, count: 32))
        let keys = try MasterKeys(parsing: Secret("1:\(key)"))
        var dumped = ""
        dump(keys, to: &dumped)
        dump(Vault(keys), to: &dumped)
        #expect(!"\(keys)\(String(reflecting: keys))\(dumped)".contains("165"))
    }
}
