import Base
import CCurl
package import Loop

/// Hands mails to a mail server, each on a connection of its own.
///
/// libcurl ends a connection by saying QUIT, and holds the thread until that is answered, for as long as any answer may
/// take: a loop that sends mail serves nobody.
// Confined to its loop.
package final class SMTPClient: @unchecked Sendable {
    /// For a whole mail, from resolving the name to the server's last word.
    package static let deadline = Duration.seconds(60)
    /// For each answer of the server, goodbye among them.
    package static let answerLimit = Duration.seconds(20)
    private static let largestTransferCount = 64

    let loop: EventLoop
    let server: SMTPServer
    /// What we call ourselves, as EHLO says it.
    let name: String
    /// A PEM file of authorities to trust instead of the system's.
    let authorities: String?
    private let multi: CurlMulti

    /// Call it on the loop. `name` is a host name or an address.
    package init(on loop: EventLoop, _ server: SMTPServer, name: String, authorities: String? = nil) {
        self.loop = loop
        self.server = server
        self.name = IPAddress(name).map { $0.isVersion4 ? "[\($0)]" : "[IPv6:\($0)]" } ?? name
        self.authorities = authorities
        multi = CurlMulti(on: loop, idleConnectionCount: 1)
    }

    /// Returns when the server has taken responsibility for `message`, which has its lines ended by CRLF.
    package func send(_ message: [UInt8], from sender: String, to recipient: String) async throws(SMTPError) {
        guard multi.transferCount < Self.largestTransferCount, let easy = curl_easy_init() else {
            throw SMTPError(.tooManyTransfers)
        }
        let transfer = SMTPTransfer(easy, message, for: self)
        try transfer.prepare(from: sender, to: recipient)
        multi.watchSockets(of: easy)
        do throws(HTTPClientError) {
            try multi.start(transfer)
        } catch {
            throw SMTPError(.tooManyTransfers, detail: error.detail)
        }
        defer { multi.end(transfer) }
        try await transfer.end(before: .now() + Self.deadline)
    }
}
