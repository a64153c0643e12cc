import Base
import CCurl
import Glibc
import HTTPWire
import Loop

/// One request and its answer, in libcurl's hands. The callbacks only store and wake; the task that reads
/// does everything else, so libcurl is never called from inside itself.
// Confined to its loop.
final class HTTPTransfer: CurlTransfer, AnswerSource, @unchecked Sendable {
    /// libcurl asks before a body of more than 1 MB; this is safely below.
    private static let askedBodyBytes = 512 * 1024

    let answer: IncomingAnswer
    let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    private var parser = ResponseHeadParser()
    private var headBytes: [UInt8] = []
    private var headFault: ResponseFault?
    private var isReceivePaused = false
    private var isSendPaused = false
    private var isOnlyToConnect = false

    private var allowsAddress: (@Sendable (IPAddress) -> Bool)?
    private var wasAddressRefused = false
    private var requestBytes: UnsafeMutableRawPointer?
    private var address: CurlAddress?
    private var requestFields: CurlFields?
    private var upload: HTTPUpload?

    init(_ easy: UnsafeMutableRawPointer, on loop: EventLoop) {
        answer = IncomingAnswer(on: loop)
        super.init(easy)
        installCallbacks()
    }

    deinit {
        requestBytes?.deallocate()
        errorText.deallocate()
    }

    // MARK: For the client

    /// Makes the transfer ready for `request`; what does not change between requests was set once.
    func prepare(_ request: HTTPClientRequest) throws(HTTPClientError) {
        reset()
        answer.begin(request)
        answer.source = self
        allowsAddress = request.allowsAddress
        try setAddress(request.url)
        setMethod(request)
        try setFields(request)
        curl_set_long(
            easy, CURLOPT_CONNECTTIMEOUT_MS, Int(max(1, request.deadlines.connect.nanoseconds / 1_000_000)))
    }

    /// Makes it ready to do no more than connect, to where `request` goes. Then it is `connected`.
    func prepareConnection(
        to origin: String, for request: HTTPClientRequest
    ) throws(HTTPClientError) {
        try prepare(
            HTTPClientRequest(
                url: origin, deadlines: request.deadlines, silence: request.silence,
                allowsAddress: request.allowsAddress))
        isOnlyToConnect = true
        curl_set_long(easy, CURLOPT_CONNECT_ONLY, 1)
    }

    /// The socket, which lives on when libcurl closes its own descriptor of it, and whom it leads to.
    func connected() throws(HTTPClientError) -> (descriptor: Int32, peer: IPAddress?) {
        var own: curl_socket_t = -1
        curl_get_socket(easy, &own)
        let descriptor = own < 0 ? -1 : fcntl(own, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { throw HTTPClientError(.connect, detail: "\(SystemError("dup"))") }
        var address: UnsafePointer<CChar>?
        curl_get_string(easy, CURLINFO_PRIMARY_IP, &address)
        return (descriptor, address.flatMap { IPAddress(String(cString: $0)) })
    }

    /// Gives up what belongs to the request, keeping the handle for the next.
    func reset() {
        answer.reset()
        upload?.abandon()
        upload = nil
        requestBytes?.deallocate()
        requestBytes = nil
        parser = ResponseHeadParser()
        headBytes = []
        headFault = nil
        (isReceivePaused, isSendPaused, wasAddressRefused) = (false, false, false)
        if isOnlyToConnect { curl_set_long(easy, CURLOPT_CONNECT_ONLY, 0) }
        isOnlyToConnect = false
        allowsAddress = nil
        errorText[0] = 0
    }

    override func finished(_ result: CURLcode) {
        if result == CURLE_OK { answer.ended() } else { answer.failed(failure(result)) }
    }

    func readerMadeRoom() {
        guard isReceivePaused else { return }
        isReceivePaused = false
        applyPause()
    }

    var usedExistingConnection: Bool {
        var opened = 0
        curl_get_long(easy, CURLINFO_NUM_CONNECTS, &opened)
        return opened == 0
    }

    var majorVersion: Int {
        var version = 0
        curl_get_long(easy, CURLINFO_HTTP_VERSION, &version)
        return version == CURL_HTTP_VERSION_2_0 ? 2 : 1
    }

    private func failure(_ code: CURLcode) -> HTTPClientError {
        let text = errorText[0] == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: errorText)
        if wasAddressRefused { return HTTPClientError(.addressRefused, detail: text) }
        if let headFault { return HTTPClientError(headFault) }
        var requestSize = 0
        curl_get_long(easy, CURLINFO_REQUEST_SIZE, &requestSize)
        return HTTPClientError(code, wasSent: requestSize > 0, detail: text)
    }

    // MARK: Preparing

    private func setMethod(_ request: HTTPClientRequest) {
        // HTTPGET puts the handle back to a plain request, whatever it was used for before.
        curl_set_long(easy, CURLOPT_HTTPGET, 1)
        curl_set_long(easy, CURLOPT_NOBODY, request.method == "HEAD" ? 1 : 0)
        switch request.body {
        case .none:
            break
        case .bytes(let bytes):
            let copy = UnsafeMutableRawPointer.allocate(byteCount: max(1, bytes.count), alignment: 16)
            bytes.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(start: copy, count: bytes.count).copyMemory(from: $0)
            }
            requestBytes = copy
            curl_set_long(easy, CURLOPT_POST, 1)
            curl_set_pointer(easy, CURLOPT_POSTFIELDS, copy)
            curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
        case .stream(let upload):
            self.upload = upload
            upload.onData = { [weak self] in self?.uploadHasData() }
            curl_set_long(easy, CURLOPT_POST, 1)
            curl_set_pointer(easy, CURLOPT_POSTFIELDS, nil)
            curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, -1)
        }
        let isDefault =
            switch request.body {
            case .none: request.method == "GET" || request.method == "HEAD"
            case .bytes, .stream: request.method == "POST"
            }
        curl_set_string(easy, CURLOPT_CUSTOMREQUEST, isDefault ? nil : request.method)
    }

    private func setAddress(_ url: String) throws(HTTPClientError) {
        if address?.text == url { return }
        let address = try CurlAddress(url)
        curl_set_pointer(easy, CURLOPT_CURLU, UnsafeRawPointer(address.parsed))
        // The text is what libcurl says in its messages.
        curl_set_string(easy, CURLOPT_URL, url)
        self.address = address
    }

    private func setFields(_ request: HTTPClientRequest) throws(HTTPClientError) {
        let extra = Self.extraLines(request.body)
        if let requestFields, requestFields.isMade(of: request.fields, extra: extra) { return }
        let fields = try CurlFields(request.fields, extra: extra)
        curl_set_pointer(easy, CURLOPT_HTTPHEADER, fields.list)
        requestFields = fields
    }

    /// Of a body that is large or comes in chunks, libcurl would first ask whether it is wanted, and wait.
    private static func extraLines(_ body: HTTPClientRequest.Body) -> [String] {
        switch body {
        case .none: []
        case .bytes(let bytes): bytes.count < askedBodyBytes ? [] : ["Expect:"]
        case .stream: ["Expect:", "Transfer-Encoding: chunked"]
        }
    }

    private func uploadHasData() {
        if isSendPaused {
            isSendPaused = false
            applyPause()
        }
    }

    /// libcurl hands over what it kept back before this returns, by the same callbacks.
    private func applyPause() {
        let mask = (isReceivePaused ? CURLPAUSE_RECV : 0) | (isSendPaused ? CURLPAUSE_SEND : 0)
        curl_easy_pause(easy, mask)
    }

    // MARK: From libcurl

    func receiveLine(_ line: UnsafeRawBufferPointer) -> Bool {
        // After the head come trailers, which nobody has asked for.
        if answer.hasBegun { return true }
        headBytes.append(line)
        switch headBytes.withUnsafeBytes({ parser.parse($0) }) {
        case .needMore: return true
        case .head(let head, _):
            answer.began(head)
            return true
        case .fault(let fault):
            headFault = fault
            return false
        }
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        if answer.isFull {
            isReceivePaused = true
            return curl_pause_write
        }
        answer.receive(bytes)
        return bytes.count
    }

    func provide(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let upload else { return curl_abort_read }
        if let count = upload.read(into: buffer) { return count }
        isSendPaused = true
        return curl_pause_read
    }

    func mayUse(_ address: @autoclosure () -> IPAddress?) -> Bool {
        guard let allowsAddress else { return true }
        if let address = address(), allowsAddress(address) { return true }
        wasAddressRefused = true
        return false
    }
}
