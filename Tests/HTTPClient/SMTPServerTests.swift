import Base
import HTTPClient
import Testing

struct SMTPServerTests {
    private func fault(_ url: String) -> String? {
        do throws(SMTPServer.Fault) {
            _ = try SMTPServer(Secret(url))
            return nil
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        ("smtp://mail.example", "smtp://mail.example:25"),
        ("smtp://ann:p%40ss@mail.example", "smtp://mail.example:587"),
        ("smtps://ann:pass@mail.example/", "smtps://mail.example:465"),
        ("smtp://[::1]:2525?starttls=try", "smtp://[::1]:2525"),
        ("smtp://ann:pass@mail.example:25?starttls=off", "smtp://mail.example:25"),
    ])
    func `a URL names the server, and its password is not shown`(url: String, address: String) throws {
        #expect(try SMTPServer(Secret(url)).address == address)
    }

    @Test(arguments: [
        "mail.example", "http://mail.example", "smtp://", "smtp://ann@mail.example",
        "smtp://:pass@mail.example",
        "smtp://mail.example/path", "smtp://mail.example?starttls=maybe", "smtp://mail.example?tls=off",
        "smtp://mail.example?starttls=implicit", "smtps://mail.example?starttls=off",
    ])
    func `a URL that is none is refused without being repeated`(url: String) throws {
        let said = try #require(self.fault(url))
        #expect(!said.contains("pass@") && !said.contains("maybe"))
    }

    @Test func `a password is not sent to whoever takes the offer of TLS away`() {
        #expect(fault("smtp://ann:pass@mail.example?starttls=try")?.contains("password") == true)
        #expect(fault("smtp://mail.example?starttls=try") == nil)
    }
}
