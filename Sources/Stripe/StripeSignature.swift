package import Base

/// Whether a webhook is Stripe's: the `Stripe-Signature` header over the body exactly as it came.
package enum StripeSignature {
    /// Older is refused, so that a webhook that somebody kept cannot be sent again. One from the future is let be: our clock
    /// may be behind, and only Stripe can have signed it.
    package static let toleranceSeconds: Int64 = 300

    package enum Fault: String, Error, Sendable {
        case missing, malformed, unsigned, mismatch, tooOld

        /// Safe to show to anyone.
        package var reason: String {
            switch self {
            case .missing: "there is no Stripe-Signature header"
            case .malformed: "the Stripe-Signature header has no timestamp"
            case .unsigned: "the Stripe-Signature header has no v1 signature"
            case .mismatch: "no v1 signature is of this body under a secret of this endpoint"
            case .tooOld: "the signature is more than \(toleranceSeconds) seconds old"
            }
        }
    }

    /// Returns if one of the header's `v1` signatures is that of `body` under one of `secrets`. While a secret is being
    /// replaced there are two, and Stripe signs with both.
    package static func verify(
        _ header: String?, of body: [UInt8], with secrets: [Secret], at now: Timestamp
    ) throws(Fault) {
        guard let header, !header.isEmpty else { throw .missing }
        let items = header.split(separator: ",").map {
            $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        }
        guard let stated = items.first(where: { $0[0] == "t" }), stated.count == 2,
            let timestamp = Int64(stated[1])
        else { throw .malformed }
        let signatures = items.filter { $0.count == 2 && $0[0] == "v1" }.map { Array($0[1].utf8) }
        guard !signatures.isEmpty else { throw .unsigned }

        let message = Array("\(timestamp).".utf8) + body
        var isGenuine = false
        // A secret that was left empty would be one that everybody knows.
        for secret in secrets where !secret.isEmpty {
            let expected = hexadecimalCode(of: message, under: secret)
            for signature in signatures where constantTimeEquals(signature, expected) { isGenuine = true }
        }
        guard isGenuine else { throw .mismatch }
        guard timestamp >= now.seconds - toleranceSeconds else { throw .tooOld }
    }

    private static func hexadecimalCode(of message: [UInt8], under secret: Secret) -> [UInt8] {
        var text: [UInt8] = []
        text.append(hex: KeyedDigest(key: Array(secret.reveal().utf8)).hmacSHA256(of: message))
        return text
    }
}
