import Base
import JSON

/// The public keys of an identity provider (RFC 7517), and what they have signed.
///
/// What verifies is a key's own algorithm, whatever a token says of itself: a secret is never made of a public key.
/// Keys of other kinds, for other uses or too weak are passed over, as providers add new kinds to the same list.
package struct JSONWebKeySet: Sendable {
    /// Of more keys the rest is passed over.
    package static let mostKeys = 64

    private struct Entry {
        let identifier: String?
        let key: Key
    }

    private enum Key {
        case rsa(RSAPublicKey)
        case p256(P256PublicKey)
        case ed25519(Ed25519PublicKey)

        var algorithm: String {
            switch self {
            case .rsa: "RS256"
            case .p256: "ES256"
            case .ed25519: "EdDSA"
            }
        }

        func isValid(signature: [UInt8], of message: [UInt8]) -> Bool {
            switch self {
            case .rsa(let key): key.isValid(signature: signature, of: message)
            case .p256(let key): key.isValid(signature: signature, of: message)
            case .ed25519(let key): key.isValid(signature: signature, of: message)
            }
        }
    }

    package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    private let entries: [Entry]

    /// How many keys are of use.
    package var count: Int { entries.count }

    package init(parsing json: [UInt8]) throws(Fault) {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(parsing: json)
        } catch {
            throw Fault(description: "the key set is not JSON: \(error)")
        }
        guard let keys = document["keys"], keys.kind == .array else {
            throw Fault(description: "the key set has no array \"keys\"")
        }
        entries = keys.elements.prefix(Self.mostKeys).compactMap(Self.entry)
    }

    /// Whether a key of this set has signed it.
    package func verifies(_ signed: JWS) -> Bool {
        guard let key = key(for: signed) else { return false }
        return key.isValid(signature: signed.signature, of: signed.signingInput)
    }

    /// Whether the key that a text names is here. If not, the provider may have a new one: ask it again.
    package func hasKey(for signed: JWS) -> Bool { key(for: signed) != nil }

    /// Only where a text names no key may the set decide, and then it must leave no choice.
    private func key(for signed: JWS) -> Key? {
        let fitting = entries.filter { entry in
            entry.key.algorithm == signed.algorithm
                && (signed.keyIdentifier == nil || entry.identifier == signed.keyIdentifier)
        }
        return fitting.count == 1 ? fitting[0].key : nil
    }

    private static func entry(_ json: JSONValue) -> Entry? {
        guard let key = key(json) else { return nil }
        if let use = json["use"], !use.stringEquals("sig") { return nil }
        if let uses = json["key_ops"], !uses.elements.contains(where: { $0.stringEquals("verify") }) {
            return nil
        }
        if let algorithm = json["alg"], algorithm.string != key.algorithm { return nil }
        if let identifier = json["kid"], identifier.kind != .string { return nil }
        return Entry(identifier: json["kid"]?.string, key: key)
    }

    private static func key(_ json: JSONValue) -> Key? {
        func number(_ name: StaticString) -> [UInt8] {
            json[name]?.string.flatMap { Base64.decodeURL($0) } ?? []
        }
        return switch (json["kty"]?.string, json["crv"]?.string) {
        case ("RSA", _): RSAPublicKey(modulus: number("n"), exponent: number("e")).map(Key.rsa)
        case ("EC", "P-256"): P256PublicKey(x: number("x"), y: number("y")).map(Key.p256)
        case ("OKP", "Ed25519"): Ed25519PublicKey(bytes: number("x")).map(Key.ed25519)
        default: nil
        }
    }
}
