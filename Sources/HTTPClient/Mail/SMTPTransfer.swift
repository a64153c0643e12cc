import Base
import CCurl
import Glibc
import HTTPWire
import Loop

/// One mail on its way, in libcurl's hands.
// Confined to its loop.
final class SMTPTransfer: CurlTransfer, @unchecked Sendable {
    private let client: SMTPClient
    private let message: [UInt8]
    private var sentCount = 0
    private var recipients: UnsafeMutablePointer<curl_slist>?
    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private let ended: Waiter
    private var result: CURLcode?

    init(_ easy: UnsafeMutableRawPointer, _ message: [UInt8], for client: SMTPClient) {
        self.client = client
        self.message = message
        ended = Waiter(client.loop)
        errorText[0] = 0
        super.init(easy)
    }

    deinit {
        curl_slist_free_all(recipients)
        errorText.deallocate()
    }

    // MARK: Preparing

    func prepare(from sender: String, to recipient: String) throws(SMTPError) {
        // An address with a line break in it would be a command of its own.
        for text in [sender, recipient] {
            guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x3C && $0 != 0x3E }) else {
                throw SMTPError(.refused, detail: "no address for a mail")
            }
        }
        let server = client.server
        let scheme = server.security == .implicit ? "smtps" : "smtp"
        let host = server.host.contains(":") ? "[\(server.host)]" : server.host
        curl_set_string(
            easy, CURLOPT_URL, "\(scheme)://\(host):\(server.port)/\(PercentCoding.encode(client.name))")
        curl_set_string(easy, CURLOPT_MAIL_FROM, "<\(sender)>")
        recipients = curl_slist_append(nil, "<\(recipient)>")
        curl_set_pointer(easy, CURLOPT_MAIL_RCPT, recipients)
        setSecurity(server)
        setOptions()
        installCallbacks()
    }

    private func setSecurity(_ server: SMTPServer) {
        let level =
            switch server.security {
            case .implicit, .required: CURLUSESSL_ALL
            case .attempted: CURLUSESSL_TRY
            case .off: CURLUSESSL_NONE
            }
        curl_set_long(easy, CURLOPT_USE_SSL, Int(level.rawValue))
        if let authorities = client.authorities { curl_set_string(easy, CURLOPT_CAINFO, authorities) }
        if let login = server.login {
            curl_set_string(easy, CURLOPT_USERNAME, login.user)
            curl_set_string(easy, CURLOPT_PASSWORD, login.password.reveal())
        }
    }

    private func setOptions() {
        curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
        curl_set_string(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        curl_set_string(easy, CURLOPT_PROXY, "")
        curl_set_string(easy, CURLOPT_NOPROXY, "")
        curl_set_long(easy, CURLOPT_NOSIGNAL, 1)
        curl_set_long(easy, CURLOPT_FORBID_REUSE, 1)
        let answerSeconds = Int(SMTPClient.answerLimit.components.seconds)
        curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, answerSeconds * 1000)
        curl_set_long(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, answerSeconds)
        curl_set_long(easy, CURLOPT_UPLOAD, 1)
        curl_set_offset(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(message.count))
    }

    private func installCallbacks() {
        let me = Unmanaged.passUnretained(self as CurlTransfer).toOpaque()
        curl_set_pointer(easy, CURLOPT_PRIVATE, me)
        curl_set_pointer(easy, CURLOPT_READDATA, me)
        curl_set_transfer(easy, CURLOPT_READFUNCTION) { bytes, size, count, context in
            SMTPTransfer.from(context)
                .provide(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
        // What a server says beyond its codes is for nobody.
        curl_set_transfer(easy, CURLOPT_WRITEFUNCTION) { _, size, count, _ in size * count }
        curl_set_open_socket(easy) { _, _, address in
            guard let address else { return CURL_SOCKET_BAD }
            let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
            return socket(address.pointee.family, kind, address.pointee.protocol)
        }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> SMTPTransfer {
        guard let transfer = owner(of: context) as? SMTPTransfer else {
            preconditionFailure("libcurl mixed up its contexts")
        }
        return transfer
    }

    private func provide(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, message.count - sentCount)
        message.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[sentCount..<sentCount + count]))
        }
        sentCount += count
        return count
    }

    // MARK: Ending

    override func finished(_ result: CURLcode) {
        self.result = result
        ended.wake()
    }

    func end(before deadline: Instant) async throws(SMTPError) {
        while result == nil {
            do throws(WaitFailure) {
                try await ended.wait(until: deadline)
            } catch {
                throw SMTPError(error == .cancelled ? .cancelled : .timeout)
            }
        }
        guard let result, result != CURLE_OK else { return }
        throw failure(result)
    }

    private func failure(_ result: CURLcode) -> SMTPError {
        let detail =
            errorText[0] == 0 ? String(cString: curl_easy_strerror(result)) : String(cString: errorText)
        var code = 0
        curl_get_long(easy, CURLINFO_RESPONSE_CODE, &code)
        let kind: SMTPError.Kind =
            switch result {
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT: .unreachable
            case CURLE_OPERATION_TIMEDOUT: .timeout
            case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE,
                CURLE_SSL_ISSUER_ERROR, CURLE_USE_SSL_FAILED:
                .certificate
            case CURLE_LOGIN_DENIED, CURLE_REMOTE_ACCESS_DENIED: .notAdmitted
            default: Self.kind(ofCode: code, isAboutMail: isAboutMail(result))
            }
        return SMTPError(kind, code: (400..<600).contains(code) ? code : nil, detail: detail)
    }

    /// A refusal of the envelope is a send error to libcurl, and one of the text a weird reply; so is a refusal to speak
    /// with us at all, but then nothing of the text has been asked for.
    private func isAboutMail(_ result: CURLcode) -> Bool {
        result == CURLE_SEND_ERROR || (result == CURLE_WEIRD_SERVER_REPLY && sentCount == message.count)
    }

    private static func kind(ofCode code: Int, isAboutMail: Bool) -> SMTPError.Kind {
        switch code {
        case 400..<500: .deferred
        // TLS or a login is asked for.
        case 530, 534, 535, 538: .notAdmitted
        case 500..<600: isAboutMail ? .refused : .notAdmitted
        default: .connectionLost
        }
    }
}
