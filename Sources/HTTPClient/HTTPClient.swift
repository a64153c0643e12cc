import Base
import CCurl
import HTTPWire
package import Loop

/// A loop's client for other servers. libcurl's multi interface, on the loop's own sockets and timers, makes all connections
/// and speaks TLS, HTTP/2 and with proxies; what goes without them is written and read here.
// Confined to its loop.
package final class HTTPClient: @unchecked Sendable {
    package struct Configuration: Sendable {
        /// Under way at once; one more is refused rather than queued.
        package var largestTransferCount = 4096
        /// Kept open for the next request: as many with TLS as without.
        package var idleConnectionCount = 256
        /// Handles kept for reuse; a handle is about 6 KB.
        package var idleHandleCount = 256
        /// Used only when set here: the environment's `http_proxy` is not consulted.
        package var proxy: String?
        /// A PEM file of authorities to trust instead of the system's.
        package var authorities: String?
        package var userAgent = "hivegate"
        /// Whether libcurl carries what goes without TLS and proxy, too.
        package var leavesAllToLibcurl = false

        package init() {}
    }

    let loop: EventLoop
    private let configuration: Configuration
    package private(set) var transferCount = 0

    private let multi: CurlMulti
    private var idleTransfers: [HTTPTransfer] = []

    private let plainConnections: PlainConnections
    private var idleAnswers: [IncomingAnswer] = []
    /// By URL.
    private var plainAddresses: [String: PlainAddress] = [:]
    private static let mostPlainAddresses = 256

    /// Call it on the loop.
    package init(on loop: EventLoop, _ configuration: Configuration = Configuration()) {
        self.loop = loop
        self.configuration = configuration
        multi = CurlMulti(on: loop, idleConnectionCount: configuration.idleConnectionCount)
        plainConnections = PlainConnections(on: loop, limit: configuration.idleConnectionCount)
    }

    deinit { plainConnections.close() }

    /// Sends `request` and hands its answer to `read` as soon as the head is there. When `read` returns or
    /// throws, whatever is left of the transfer is over: an unfinished answer closes its connection.
    package func withResponse<Result>(
        _ request: HTTPClientRequest, _ read: (HTTPClientResponse) async throws -> Result
    ) async throws -> Result {
        guard transferCount < configuration.largestTransferCount else {
            throw HTTPClientError(.tooManyTransfers)
        }
        transferCount += 1
        defer { transferCount -= 1 }
        if let address = plainAddress(of: request.url) {
            return try await withPlainResponse(request, at: address, read)
        }
        return try await withTransferredResponse(request, read)
    }

    // MARK: By libcurl

    private func withTransferredResponse<Result>(
        _ request: HTTPClientRequest, _ read: (HTTPClientResponse) async throws -> Result
    ) async throws -> Result {
        let transfer = try takeTransfer()
        defer { giveBack(transfer) }
        try transfer.prepare(request)
        try multi.start(transfer)
        let head = try await transfer.answer.waitForHead()
        return try await read(
            HTTPClientResponse(
                head, transfer.answer, usedExistingConnection: transfer.usedExistingConnection,
                majorVersion: transfer.majorVersion))
    }

    private func takeTransfer() throws(HTTPClientError) -> HTTPTransfer {
        if let transfer = idleTransfers.popLast() { return transfer }
        guard let easy = curl_easy_init() else {
            throw HTTPClientError(.tooManyTransfers, detail: "no memory")
        }
        curl_set_string(easy, CURLOPT_PROXY, configuration.proxy ?? "")
        // Without it, libcurl looks for exceptions from the proxy in the environment, at every request.
        curl_set_string(easy, CURLOPT_NOPROXY, "")
        curl_set_string(easy, CURLOPT_USERAGENT, configuration.userAgent)
        if let authorities = configuration.authorities { curl_set_string(easy, CURLOPT_CAINFO, authorities) }
        multi.watchSockets(of: easy)
        return HTTPTransfer(easy, on: loop)
    }

    private func giveBack(_ transfer: HTTPTransfer) {
        multi.end(transfer)
        transfer.reset()
        if idleTransfers.count < configuration.idleHandleCount { idleTransfers.append(transfer) }
    }

    // MARK: Without TLS

    private func plainAddress(of url: String) -> PlainAddress? {
        if configuration.proxy != nil || configuration.leavesAllToLibcurl { return nil }
        if let known = plainAddresses[url] { return known }
        guard let address = PlainAddress(url) else { return nil }
        if plainAddresses.count == Self.mostPlainAddresses { plainAddresses.removeAll() }
        plainAddresses[url] = address
        return address
    }

    private func withPlainResponse<Result>(
        _ request: HTTPClientRequest, at address: PlainAddress,
        _ read: (HTTPClientResponse) async throws -> Result
    ) async throws -> Result {
        let written = try PlainRequest(request, to: address, userAgent: configuration.userAgent)
        let answer = idleAnswers.popLast() ?? IncomingAnswer(on: loop)
        var connection: PlainConnection?
        defer {
            connection?.leave(answer)
            written.upload?.abandon()
            answer.reset()
            if idleAnswers.count < configuration.idleHandleCount { idleAnswers.append(answer) }
        }
        answer.begin(request)
        if let kept = plainConnections.take(to: address.origin, where: request.allowsAddress) {
            connection = kept
            kept.send(written, for: answer)
            do throws(HTTPClientError) {
                _ = try await answer.waitForHead()
            } catch {
                // It had been closed, and we have not heard of it before.
                guard error.isOfClosedConnection, !kept.hasHeard, written.isRepeatable else { throw error }
                answer.beginAgain()
                connection = nil
            }
        }
        if connection == nil {
            let fresh = try await connect(to: address, for: request)
            connection = fresh
            fresh.send(written, for: answer)
        }
        let head = try await answer.waitForHead()
        let isReused = connection?.isReused ?? false
        return try await read(HTTPClientResponse(head, answer, usedExistingConnection: isReused))
    }

    /// Has libcurl resolve the name and connect, and takes over the socket.
    // What is seldom needed takes no room of every request.
    @inline(never)
    private func connect(
        to address: PlainAddress, for request: HTTPClientRequest
    ) async throws(HTTPClientError) -> PlainConnection {
        let transfer = try takeTransfer()
        defer { giveBack(transfer) }
        try transfer.prepareConnection(to: address.origin, for: request)
        try multi.start(transfer)
        try await transfer.answer.waitForEnd()
        let (descriptor, peer) = try transfer.connected()
        return try PlainConnection(descriptor, to: address.origin, at: peer, in: plainConnections)
    }
}

extension HTTPClientError {
    fileprivate var isOfClosedConnection: Bool { kind == .connectionLost || kind == .sendFailed }
}
