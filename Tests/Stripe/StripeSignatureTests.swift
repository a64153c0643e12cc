import Base
import Foundation
import JSON
import TestKit
import Testing

@testable import Stripe

struct StripeSignatureTests {
    private static let secret = Secret("whsec_ours")
    private static let body = Array(#"{"id":"evt_1"}"#.utf8)
    private static let now = Timestamp(seconds: 1_795_200_000)

    private static func signature(
        _ seconds: Int64 = now.seconds, of body: [UInt8] = body, under secret: Secret = secret
    ) -> String {
        var code: [UInt8] = []
        code.append(
            hex: KeyedDigest(key: Array(secret.reveal().utf8))
                .hmacSHA256(of: Array("\(seconds).".utf8) + body))
        return String(decoding: code, as: UTF8.self)
    }

    private func fault(_ header: String?, with secrets: [Secret] = [secret]) -> StripeSignature.Fault? {
        do {
            try StripeSignature.verify(header, of: Self.body, with: secrets, at: Self.now)
            return nil
        } catch {
            return error
        }
    }

    @Test(.enabled(if: SignatureVector.areThere))
    func `every webhook is believed or refused as by the official library`() throws {
        let vectors = try SignatureVector.all()
        #expect(vectors.count >= 19)
        for vector in vectors {
            #expect(vector.tolerance == StripeSignature.toleranceSeconds)
            do throws(StripeSignature.Fault) {
                try StripeSignature.verify(
                    vector.header, of: vector.payload, with: [vector.secret], at: vector.now)
                #expect(vector.isAccepted, "\(vector.name) was accepted")
            } catch {
                #expect(!vector.isAccepted, "\(vector.name) was refused: \(error)")
            }
        }
    }

    @Test func `while a secret is replaced, webhooks under the old and under the new one are believed`() {
        let old = Secret("whsec_old")
        let header = "t=\(Self.now.seconds),v1=\(Self.signature(under: old))"
        #expect(fault(header) == .mismatch)
        #expect(fault(header, with: [Self.secret, old]) == nil)
        #expect(fault(header, with: [old, Self.secret]) == nil)
        let both = "t=\(Self.now.seconds),v1=\(Self.signature(under: old)),v1=\(Self.signature())"
        #expect(fault(both) == nil)
    }

    @Test func `a secret that is empty, or none at all, believes nobody`() {
        let header = "t=\(Self.now.seconds),v1=\(Self.signature(under: Secret("")))"
        #expect(fault(header, with: [Secret("")]) == .mismatch)
        #expect(fault(header, with: []) == .mismatch)
    }

    @Test func `a webhook of 300 seconds ago is believed, one of 301 is not, one of tomorrow is`() {
        for (age, expected) in [(300, nil), (301, .tooOld), (-86_400, nil)]
            as [(Int64, StripeSignature.Fault?)]
        {
            let seconds = Self.now.seconds - age
            #expect(fault("t=\(seconds),v1=\(Self.signature(seconds))") == expected)
        }
    }

    @Test func `a header that is none is refused for what it lacks`() {
        let signature = Self.signature()
        #expect(fault(nil) == .missing)
        #expect(fault("") == .missing)
        #expect(fault(",,,") == .malformed)
        #expect(fault("t,v1=\(signature)") == .malformed)
        #expect(fault("t=99999999999999999999,v1=\(signature)") == .malformed)
        #expect(fault("t=\(Self.now.seconds)") == .unsigned)
        #expect(fault("t=\(Self.now.seconds),v1") == .unsigned)
        #expect(fault("t=\(Self.now.seconds),v1=") == .mismatch)
        for extreme in [Int64.min, .max] {
            #expect(fault("t=\(extreme),v1=\(signature)") == .mismatch)
        }
    }

    @Test func `whoever changes one bit of the signature is refused`() {
        let genuine = Array(Self.signature().utf8)
        for place in genuine.indices {
            var forged = genuine
            forged[place] ^= 1
            #expect(
                fault("t=\(Self.now.seconds),v1=\(String(decoding: forged, as: UTF8.self))") == .mismatch)
        }
    }
}

/// What the official library makes of a header. The list is not part of the project: it lies beside recorded exchanges.
private struct SignatureVector {
    let name: String
    let secret: Secret
    let now: Timestamp
    let tolerance: Int64
    let payload: [UInt8]
    let header: String
    let isAccepted: Bool

    private static let file = RecordedExchange.folder.deletingLastPathComponent()
        .appendingPathComponent("stripe-signature-vectors.json")

    static var areThere: Bool { FileManager.default.fileExists(atPath: file.path) }

    static func all() throws -> [SignatureVector] {
        let document = try JSONDocument(parsing: [UInt8](Data(contentsOf: file)))
        return try #require(document["vectors"]).elements.map { vector in
            SignatureVector(
                name: try #require(vector["name"]?.string),
                secret: Secret(try #require(vector["secret"]?.string)),
                now: Timestamp(seconds: Int64(try #require(vector["now"]?.int))),
                tolerance: Int64(try #require(vector["tolerance"]?.int)),
                payload: Array(try #require(vector["payload"]?.string).utf8),
                header: try #require(vector["header"]?.string),
                isAccepted: vector["official"]?.string == "accept")
        }
    }
}
