import Base
import Foundation
import JSON
import TestKit
import Testing

@testable import Providers

/// Signatures are those that AWS computes.
struct SigV4Tests {
    /// A request with what AWS's own libraries sign of it.
    struct Vector: CustomTestStringConvertible {
        let name: String
        let signer: SigV4
        let request: SigV4.Request
        let token: String?
        let time: Timestamp
        let canonicalRequest: String
        let stringToSign: String
        let authorization: String

        var testDescription: String { name }

        func check() {
            var added = [(name: "X-Amz-Date", value: SigV4.date(time))]
            if let token { added.append((name: "X-Amz-Security-Token", value: token)) }
            let canonical = CanonicalRequest(request, adding: added)
            #expect(canonical.text == canonicalRequest)
            #expect(signer.stringToSign(canonical, date: SigV4.date(time)) == stringToSign)
            let fields = signer.fields(for: request, at: time)
            #expect(fields.first { $0.name == "Authorization" }?.value == authorization)
            #expect(fields.first { $0.name == "X-Amz-Security-Token" }?.value == token)
        }
    }

    // MARK: Bedrock

    static let bedrock: [Vector] = {
        let file = RecordedExchange.folder.appendingPathComponent("sigv4_bedrock.json")
        guard let data = try? Data(contentsOf: file), let document = try? JSONDocument(parsing: [UInt8](data))
        else { return [] }
        return document.root.elements.compactMap { value in
            func text(_ key: StaticString) -> String { value[key]?.string ?? "" }
            let url = text("url")
            guard let start = url.range(of: "://")?.upperBound, let slash = url[start...].firstIndex(of: "/"),
                let time = ISO8601DateFormatter.timestamp(text("amz_date"))
            else { return nil }
            let token = value["session_token"]?.string
            let credentials = SigV4.Credentials(
                accessKeyID: text("access_key"), secretKey: Secret(text("secret_key")),
                sessionToken: token.map { Secret($0) })
            return Vector(
                name: text("name"),
                signer: SigV4(credentials, region: text("region"), service: text("service")),
                request: SigV4.Request(
                    method: text("method"), host: String(url[start..<slash]), path: String(url[slash...]),
                    fields: [("Content-Type", "application/json")], body: Array(text("body").utf8)),
                token: token, time: time, canonicalRequest: text("canonical_request"),
                stringToSign: text("string_to_sign"),
                authorization: value["headers_out"]?["Authorization"]?.string ?? "")
        }
    }()

    @Test(.enabled(if: RecordedExchange.areThere), arguments: bedrock)
    func `a request to Bedrock is signed as AWS signs it`(vector: Vector) { vector.check() }

    // MARK: The suite

    static let suite: [Vector] = {
        let folder = RecordedExchange.folder.appendingPathComponent("aws4/aws4_testsuite")
        let paths = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return paths.filter { $0.hasSuffix(".req") }.sorted().compactMap { path -> Vector? in
            let base = folder.appendingPathComponent(String(path.dropLast(4)))
            func text(_ kind: String) -> String? {
                try? String(contentsOf: base.appendingPathExtension(kind), encoding: .utf8)
                    .replacingOccurrences(of: "\r\n", with: "\n")
            }
            guard let request = text("req"), let canonical = text("creq"), let toSign = text("sts"),
                let authorization = text("authz"), let signed = text("sreq"),
                let time = ISO8601DateFormatter.timestamp("20150830T123600Z")
            else { return nil }
            // The token may also be added after signing: then it is none of the signature's.
            let name = "x-amz-security-token"
            let token = signed.split(separator: "\n").first { $0.lowercased().hasPrefix("\(name):") }
                .map { String($0.dropFirst(name.count + 1)) }
            return vector(
                base.lastPathComponent, request, time, canonical, toSign, authorization,
                token: authorization.contains(name) ? token : nil)
        }
    }()

    private static func vector(
        _ name: String, _ text: String, _ time: Timestamp, _ canonical: String, _ toSign: String,
        _ authorization: String, token: String?
    ) -> Vector {
        let halves = text.components(separatedBy: "\n\n")
        // A line that begins with a blank goes on with the one before.
        let head = halves[0].replacingOccurrences(of: "\n +", with: " ", options: .regularExpression)
        let lines = head.split(separator: "\n")
        let line = lines[0].split(separator: " ")
        var fields: [(name: String, value: String)] = []
        for line in lines.dropFirst() {
            let pieces = line.split(separator: ":", maxSplits: 1)
            fields.append((String(pieces[0]), pieces.count > 1 ? String(pieces[1]) : ""))
        }
        let host = fields.first { $0.name == "Host" }?.value ?? ""
        let credentials = SigV4.Credentials(
            accessKeyID: "AKIDEXAMPLE", secretKey: Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            sessionToken: token.map { Secret($0) })
        return Vector(
            name: name, signer: SigV4(credentials, region: "us-east-1", service: "service"),
            request: SigV4.Request(
                method: String(line[0]), host: host,
                path: line[1..<(line.count - 1)].joined(separator: " "),
                fields: fields.filter { !["Host", "X-Amz-Date", "X-Amz-Security-Token"].contains($0.name) },
                body: Array((halves.count > 1 ? halves[1] : "").utf8)),
            token: token, time: time, canonicalRequest: canonical, stringToSign: toSign,
            authorization: authorization)
    }

    @Test(.enabled(if: RecordedExchange.areThere))
    func `no vector of the suite is left out`() {
        #expect(Self.suite.count >= 31 && Self.bedrock.count >= 5)
    }

    @Test(.enabled(if: RecordedExchange.areThere), arguments: suite)
    func `AWS's own suite is signed as it says`(vector: Vector) { vector.check() }

    @Test func `the secret is in nothing that is sent`() {
        let credentials = SigV4.Credentials(
            accessKeyID: "AKID", secretKey: Secret("hush"), sessionToken: Secret("lent"))
        let fields = SigV4(credentials, region: "eu-west-1").fields(
            for: SigV4.Request(host: "h", path: "/", body: []), at: Timestamp(seconds: 0))
        #expect(!fields.contains { $0.value.contains("hush") })
        #expect(fields.map(\.name) == ["X-Amz-Date", "X-Amz-Security-Token", "Authorization"])
        #expect(fields[0].value == "19700101T000000Z")
    }
}

extension ISO8601DateFormatter {
    /// Of a time like `20150830T123600Z`.
    fileprivate static func timestamp(_ text: String) -> Timestamp? {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "yyyyMMdd'T'HHmmss'Z'"
        return formatter.date(from: text).map { Timestamp(seconds: Int64($0.timeIntervalSince1970)) }
    }
}
