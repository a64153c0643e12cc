import Base
import Identity
import Testing

struct TOTPTests {
    private static let secret = Array("12345678901234567890".utf8)

    /// RFC 6238, appendix B: the last six of its eight digits.
    @Test(arguments: [
        (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
        (2_000_000_000, "279037"), (20_000_000_000, "353130"),
    ])
    func `codes agree with the published vectors`(seconds: Int64, code: String) {
        let time = Timestamp(seconds: seconds)
        #expect(TOTP.code(secret: Self.secret, step: TOTP.step(at: time)) == code)
        #expect(TOTP.accepts(code, secret: Self.secret, at: time, after: 0) == seconds / 30)
    }

    @Test func `a code is good for its half minute and those beside it, and nowhere else`() {
        let now = Timestamp(seconds: 1_234_567_890)
        let step = TOTP.step(at: now)
        for distance in Int64(-5)...5 {
            let code = TOTP.code(secret: Self.secret, step: step + distance)
            let accepted = TOTP.accepts(code, secret: Self.secret, at: now, after: 0)
            #expect(accepted == (abs(distance) <= 1 ? step + distance : nil))
        }
    }

    @Test func `a code is good once, and none before it any more`() {
        let now = Timestamp(seconds: 1_234_567_890)
        let step = TOTP.step(at: now)
        let code = TOTP.code(secret: Self.secret, step: step)
        let earlier = TOTP.code(secret: Self.secret, step: step - 1)
        let later = TOTP.code(secret: Self.secret, step: step + 1)
        #expect(TOTP.accepts(code, secret: Self.secret, at: now, after: step - 1) == step)
        #expect(TOTP.accepts(code, secret: Self.secret, at: now, after: step) == nil)
        #expect(TOTP.accepts(earlier, secret: Self.secret, at: now, after: step) == nil)
        #expect(TOTP.accepts(later, secret: Self.secret, at: now, after: step) == step + 1)
    }

    @Test func `anything that is not the code is refused`() {
        let now = Timestamp(seconds: 1_234_567_890)
        for text in ["", "5924", "05924", "0005924", "005925", "005924 ", "００５９２４", "00592\u{0}"] {
            #expect(TOTP.accepts(text, secret: Self.secret, at: now, after: 0) == nil)
        }
        let other = Random.bytes(TOTP.secretLength)
        let step = TOTP.step(at: now)
        let own = ((step - 1)...(step + 1)).map { TOTP.code(secret: other, step: $0) }
        #expect((TOTP.accepts("005924", secret: other, at: now, after: 0) != nil) == own.contains("005924"))
    }

    @Test func `an app can read the address, whatever is in the names`() {
        let uri = TOTP.uri(secret: Self.secret, account: "ann+1@x.example", issuer: "Hive & Gate: é")
        #expect(
            uri == "otpauth://totp/Hive%20%26%20Gate%3A%20%C3%A9:ann%2B1%40x.example"
                + "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Hive%20%26%20Gate%3A%20%C3%A9"
                + "&algorithm=SHA1&digits=6&period=30")
        #expect(TOTP.text(of: Self.secret) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    }

    @Test func `a recovery code may be typed in any case, with or without dashes and spaces`() {
        let codes = (0..<50).map { _ in RecoveryCode.make().reveal() }
        #expect(Set(codes).count == codes.count)
        for code in codes {
            #expect(code.count == 19)
            #expect(code.split(separator: "-").map(\.count) == [4, 4, 4, 4])
            let digest = RecoveryCode.digest(of: code)
            #expect(digest.count == 32)
            #expect(RecoveryCode.digest(of: code.lowercased()) == digest)
            #expect(RecoveryCode.digest(of: code.filter { $0 != "-" }) == digest)
            #expect(RecoveryCode.digest(of: " " + code.replacing("-", with: " ")) == digest)
            #expect(RecoveryCode.digest(of: String(code.dropLast())) != digest)
        }
        #expect(Set(codes.map { RecoveryCode.digest(of: $0) }).count == codes.count)
    }
}
