// fuzz-target: jwt
// fuzz-modules: Identity HTTPClient Postgres Redis HTTPWire Loop JSON Base
// fuzz-max-length: 6000
// fuzz-link: -lcrypto -largon2 -lcurl -lpq -lhiredis
import Base
import Identity

/// The one token that is good here.
private struct World {
    static let now = Timestamp(seconds: 1_800_000_000)
    let keys = SigningKeys(issuer: "https://hivegate.example", audience: "hivegate")
    let published: [UInt8]
    let token: [UInt8]

    init?() {
        guard let key = Ed25519PrivateKey(bytes: [UInt8](repeating: 7, count: 32)) else { return nil }
        let id = UUID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001)
        keys.replace(with: [SigningKey(id: id, privateKey: key, createdAt: Self.now)])
        let claims = AccessToken(
            user: id, organization: id, session: id, issuedAt: Self.now, expiresAt: Self.now + .seconds(900),
            id: id)
        token = Array(keys.sign(claims).utf8)
        published = keys.jwks(at: Self.now)
    }
}

private let world = World()

/// Only what was signed is valid, whatever arrives; and a key set from anywhere verifies no text of ours unless our key
/// is in it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJWT(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let world else { preconditionFailure("no world") }
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    check(bytes, world)

    // The good token with the input in place of some of it, so that the fuzzer gets behind the first checks.
    if let place = bytes.first {
        let position = Int(place) * world.token.count / 256
        let rest = bytes.dropFirst()
        check(world.token[..<position] + rest + world.token[position...].dropFirst(rest.count), world)
    }

    // A key set, and behind a NUL a text to verify with it.
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    guard let set = try? JSONWebKeySet(parsing: Array(parts[0])) else { return 0 }
    precondition(set.count <= JSONWebKeySet.mostKeys)
    if parts.count == 2, let signed = try? JWS(parsing: parts[1]) {
        precondition(!set.verifies(signed) || set.hasKey(for: signed))
    }
    return 0
}

private func check(_ text: some Collection<UInt8>, _ world: World) {
    let isOurs = text.elementsEqual(world.token)
    let isValid = if case .valid = world.keys.verify(text, at: World.now) { true } else { false }
    precondition(isValid == isOurs, "a token that was not signed is valid, or the one that was is not")
    guard let signed = try? JWS(parsing: text) else { return }
    // Made each time: what is kept in an enum is taken for a leak.
    let set = try? JSONWebKeySet(parsing: world.published)
    precondition(set?.verifies(signed) == isOurs, "our public key verifies what was not signed")
    let whole = signed.signingInput + [0x2E] + Array(Base64.encodeURL(signed.signature).utf8)
    precondition(text.elementsEqual(whole), "two texts are one token")
}
