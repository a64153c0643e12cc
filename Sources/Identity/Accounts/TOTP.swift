package import Base
import HTTPWire

/// Codes of authenticator apps (RFC 6238): HMAC-SHA1, 30 seconds, 6 digits, which is all that the apps agree on.
package enum TOTP {
    /// Bytes of a new secret: as many as SHA-1 has.
    package static let secretLength = 20
    private static let period: Int64 = 30
    private static let digitCount = 6
    private static let modulus: UInt32 = 1_000_000

    /// The secret as people type it into an app.
    package static func text(of secret: [UInt8]) -> String { Base32.encode(secret) }

    /// What an app reads from a picture. It holds the secret.
    package static func uri(secret: [UInt8], account: String, issuer: String) -> String {
        let issuer = PercentCoding.encode(issuer)
        let label = "\(issuer):\(PercentCoding.encode(account))"
        return "otpauth://totp/\(label)?secret=\(text(of: secret))&issuer=\(issuer)"
            + "&algorithm=SHA1&digits=\(digitCount)&period=\(period)"
    }

    /// The number of the 30 seconds that `time` is in.
    package static func step(at time: Timestamp) -> Int64 { time.seconds / period }

    package static func code(secret: [UInt8], step: Int64) -> String {
        let counter = stride(from: 56, through: 0, by: -8).map {
            UInt8(truncatingIfNeeded: step >> Int64($0))
        }
        let mac = KeyedDigest.hmacSHA1(of: counter, key: secret)
        let offset = Int(mac[mac.count - 1] & 15)
        let number = mac[offset..<(offset + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        var text: [UInt8] = []
        text.append(decimal: Int(number % modulus), width: digitCount)
        return String(decoding: text, as: UTF8.self)
    }

    /// The step that `code` is of, if that is now, one before or one after, and later than `lastStep`. Keep it: a code
    /// is good once.
    package static func accepts(
        _ code: String, secret: [UInt8], at time: Timestamp, after lastStep: Int64
    ) -> Int64? {
        let presented = Array(code.utf8)
        let now = step(at: time)
        var found: Int64?
        // All three are compared, however early one fits.
        for step in (now - 1)...(now + 1) {
            let fits = constantTimeEquals(presented, Array(Self.code(secret: secret, step: step).utf8))
            if fits, step > lastStep { found = step }
        }
        return found
    }
}
