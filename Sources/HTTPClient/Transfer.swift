import Base
import CCurl
import Glibc
import Loop

/// One request and its answer, in libcurl's hands. The callbacks only store and wake; the task that reads
/// does everything else, so libcurl is never called from inside itself.
// Confined to its loop.
final class Transfer: CurlTransfer, @unchecked Sendable {
    /// Received and not yet read: above this the connection is paused.
    static let highWater = 256 * 1024
    static let largestHead = 64 * 1024
    /// libcurl asks before a body of more than 1 MB; this is safely below.
    private static let askedBodyBytes = 512 * 1024

    private unowned let client: HTTPClient
    private let arrived: Waiter
    let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    private(set) var status = 0
    private(set) var fields = HTTPClientFields()
    private var headSize = 0
    private var isHeadComplete = false
    private var received: [UInt8] = []
    private var result: CURLcode?
    private var isReceivePaused = false
    private var isSendPaused = false

    private var started = Instant.never
    private var deadlines = HTTPClientRequest.Deadlines()
    private var allowsAddress: (@Sendable (IPAddress) -> Bool)?
    private var silence: HTTPClientRequest.Silence?
    private var wasAddressRefused = false
    private var requestBytes: UnsafeMutableRawPointer?
    private var address: CurlAddress?
    private var requestFields: CurlFields?
    private var upload: HTTPUpload?

    init(_ easy: UnsafeMutableRawPointer, client: HTTPClient) {
        self.client = client
        arrived = Waiter(client.loop)
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
        deadlines = request.deadlines
        allowsAddress = request.allowsAddress
        silence = request.silence
        try setAddress(request.url)
        setMethod(request)
        try setFields(request)
        curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Int(max(1, deadlines.connect.nanoseconds / 1_000_000)))
        started = .now()
    }

    /// Gives up what belongs to the request, keeping the handle for the next.
    func reset() {
        upload?.abandon()
        upload = nil
        requestBytes?.deallocate()
        requestBytes = nil
        (status, headSize, isHeadComplete, result) = (0, 0, false, nil)
        (isReceivePaused, isSendPaused, wasAddressRefused) = (false, false, false)
        fields = HTTPClientFields()
        received.removeAll(keepingCapacity: received.capacity <= Self.highWater)
        allowsAddress = nil
        silence = nil
        errorText[0] = 0
    }

    override func finished(_ result: CURLcode) {
        self.result = result
        arrived.wake()
    }

    // MARK: For the reader

    /// Waits for the head of the answer.
    func head() async throws(HTTPClientError) {
        while !isHeadComplete {
            if let result { throw failure(result) }
            try await wait(for: deadlines.firstByte, from: started, late: .firstByteTimeout)
        }
    }

    func next() async throws(HTTPClientError) -> [UInt8]? {
        let since = Instant.now()
        while received.isEmpty {
            if let result {
                if result == CURLE_OK { return nil }
                throw failure(result)
            }
            try await wait(for: deadlines.betweenBytes, from: since, late: .betweenBytesTimeout)
        }
        var piece: [UInt8] = []
        swap(&piece, &received)
        if isReceivePaused {
            isReceivePaused = false
            applyPause()
        }
        return piece
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

    private func wait(
        for limit: Duration, from start: Instant, late: HTTPClientError.Kind
    ) async throws(HTTPClientError) {
        let end = started + deadlines.total
        let deadline = min(start + limit, end)
        var sign = silence.map { Instant.now() + $0.interval } ?? .never
        while true {
            do throws(WaitFailure) {
                return try await arrived.wait(until: min(deadline, sign))
            } catch {
                if error == .cancelled { throw HTTPClientError(.cancelled, mayHaveExecuted: true) }
            }
            guard let silence, sign < deadline else {
                throw HTTPClientError(deadline == end ? .totalTimeout : late, mayHaveExecuted: true)
            }
            do { try await silence.sign() } catch {
                // Nobody is there any more for whom to wait.
                throw HTTPClientError(.cancelled, mayHaveExecuted: true)
            }
            sign = Instant.now() + silence.interval
        }
    }

    private func failure(_ code: CURLcode) -> HTTPClientError {
        let text = errorText[0] == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: errorText)
        if wasAddressRefused { return HTTPClientError(.addressRefused, detail: text) }
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

    private static let statusLineStart: StaticString = "HTTP/"

    func receiveField(_ line: UnsafeRawBufferPointer) -> Bool {
        headSize += line.count
        guard headSize <= Self.largestHead else { return false }
        if Self.isStatusLine(line) {
            fields = HTTPClientFields()
            fields.reserve()
            var code = 0
            curl_get_long(easy, CURLINFO_RESPONSE_CODE, &code)
            status = code
        } else if line.first == 0x0D || line.first == 0x0A {
            if status >= 200 {
                isHeadComplete = true
                arrived.wake()
            }
        } else if !isHeadComplete {
            // After the head come trailers, which nobody has asked for.
            fields.append(line)
        }
        return true
    }

    private static func isStatusLine(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let start = line.baseAddress, line.count > statusLineStart.utf8CodeUnitCount else {
            return false
        }
        return memcmp(start, statusLineStart.utf8Start, statusLineStart.utf8CodeUnitCount) == 0
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        if received.count >= Self.highWater {
            isReceivePaused = true
            return curl_pause_write
        }
        received.append(bytes)
        arrived.wake()
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
