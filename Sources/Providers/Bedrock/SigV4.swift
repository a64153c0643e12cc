package import Base
import HTTPWire

/// Signs requests as AWS wants it (Signature Version 4).
package struct SigV4: Sendable {
    private static let algorithm = "AWS4-HMAC-SHA256"

    private let credentials: Credentials
    private let region: String
    private let service: String

    package struct Credentials: Sendable {
        package var accessKeyID: String
        package var secretKey: Secret
        /// Of credentials that are lent for a while.
        package var sessionToken: Secret?

        package init(accessKeyID: String, secretKey: Secret, sessionToken: Secret? = nil) {
            self.accessKeyID = accessKeyID
            self.secretKey = secretKey
            self.sessionToken = sessionToken
        }

        /// From `ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]`; none of the three has a colon.
        init(joined: Secret) {
            let parts = joined.reveal().split(separator: ":", omittingEmptySubsequences: false).map(
                String.init)
            self.init(
                accessKeyID: parts[0], secretKey: Secret(parts.count > 1 ? parts[1] : ""),
                sessionToken: parts.count > 2 ? Secret(parts[2]) : nil)
        }
    }

    /// What is signed. All `fields` are: leave out what a proxy may change.
    package struct Request {
        package var method: String
        /// With the port where it is not the scheme's own, as the `Host` field has it.
        package var host: String
        /// As it is sent, percent-encoding and query included.
        package var path: String
        package var fields: [(name: String, value: String)]
        package var body: [UInt8]

        package init(
            method: String = "POST", host: String, path: String, fields: [(name: String, value: String)] = [],
            body: [UInt8]
        ) {
            self.method = method
            self.host = host
            self.path = path
            self.fields = fields
            self.body = body
        }
    }

    package init(_ credentials: Credentials, region: String, service: String = "bedrock") {
        self.credentials = credentials
        self.region = region
        self.service = service
    }

    /// The fields that must be sent besides those of `request`.
    package func fields(for request: Request, at time: Timestamp) -> [(name: String, value: String)] {
        let date = Self.date(time)
        var added = [(name: "X-Amz-Date", value: date)]
        if let token = credentials.sessionToken {
            added.append((name: "X-Amz-Security-Token", value: token.reveal()))
        }
        let canonical = CanonicalRequest(request, adding: added)
        let toSign = stringToSign(canonical, date: date)
        let signature = String(hex: Self.hmac(Array(toSign.utf8), key: signingKey(date: date)))
        let authorization =
            "\(Self.algorithm) Credential=\(credentials.accessKeyID)/\(scope(date: date)), "
            + "SignedHeaders=\(canonical.signedFields), Signature=\(signature)"
        return added + [(name: "Authorization", value: authorization)]
    }

    func stringToSign(_ request: CanonicalRequest, date: String) -> String {
        let digest = String(hex: Digest.sha256(Array(request.text.utf8)))
        return "\(Self.algorithm)\n\(date)\n\(scope(date: date))\n\(digest)"
    }

    private func scope(date: String) -> String {
        "\(date.prefix(8))/\(region)/\(service)/aws4_request"
    }

    /// Good for one day, one region and one service.
    private func signingKey(date: String) -> [UInt8] {
        let secret = Array("AWS4\(credentials.secretKey.reveal())".utf8)
        return [String(date.prefix(8)), region, service, "aws4_request"].reduce(secret) { key, step in
            Self.hmac(Array(step.utf8), key: key)
        }
    }

    private static func hmac(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        KeyedDigest(key: key).hmacSHA256(of: message)
    }

    /// `20261120T123456Z`.
    static func date(_ time: Timestamp) -> String {
        let civil = CivilTime(time)
        var text: [UInt8] = []
        text.append(decimal: civil.year, width: 4)
        text.append(decimal: civil.month, width: 2)
        text.append(decimal: civil.day, width: 2)
        text.append(0x54)
        text.append(decimal: civil.hour, width: 2)
        text.append(decimal: civil.minute, width: 2)
        text.append(decimal: civil.second, width: 2)
        text.append(0x5A)
        return String(decoding: text, as: UTF8.self)
    }
}
