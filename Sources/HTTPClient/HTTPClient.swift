import Base
import CCurl
package import Loop

/// A loop's client for other servers: libcurl's multi interface on the loop's own sockets and timers.
// Confined to its loop.
package final class HTTPClient: @unchecked Sendable {
    package struct Configuration: Sendable {
        /// Under way at once; one more is refused rather than queued.
        package var largestTransferCount = 4096
        /// Kept open for the next request.
        package var idleConnectionCount = 256
        /// Handles kept for reuse; a handle is about 6 KB.
        package var idleHandleCount = 256
        /// Used only when set here: the environment's `http_proxy` is not consulted.
        package var proxy: String?
        /// A PEM file of authorities to trust instead of the system's.
        package var authorities: String?
        package var userAgent = "hivegate"

        package init() {}
    }

    let loop: EventLoop
    private let configuration: Configuration
    private let multi: CurlMulti
    private var idle: [Transfer] = []

    /// Call it on the loop.
    package init(on loop: EventLoop, _ configuration: Configuration = Configuration()) {
        self.loop = loop
        self.configuration = configuration
        multi = CurlMulti(on: loop, idleConnectionCount: configuration.idleConnectionCount)
    }

    package var transferCount: Int { multi.transferCount }

    /// Sends `request` and hands its answer to `read` as soon as the head is there. When `read` returns or
    /// throws, whatever is left of the transfer is over: an unfinished answer closes its connection.
    package func withResponse<Result>(
        _ request: HTTPClientRequest, _ read: (HTTPClientResponse) async throws -> Result
    ) async throws -> Result {
        let transfer = try take()
        defer { giveBack(transfer) }
        try transfer.prepare(request)
        try multi.start(transfer)
        try await transfer.head()
        return try await read(
            HTTPClientResponse(status: transfer.status, fields: transfer.fields, transfer: transfer))
    }

    private func take() throws(HTTPClientError) -> Transfer {
        guard multi.transferCount < configuration.largestTransferCount else {
            throw HTTPClientError(.tooManyTransfers)
        }
        if let transfer = idle.popLast() { return transfer }
        guard let easy = curl_easy_init() else {
            throw HTTPClientError(.tooManyTransfers, detail: "no memory")
        }
        curl_set_string(easy, CURLOPT_PROXY, configuration.proxy ?? "")
        // Without it, libcurl looks for exceptions from the proxy in the environment, at every request.
        curl_set_string(easy, CURLOPT_NOPROXY, "")
        curl_set_string(easy, CURLOPT_USERAGENT, configuration.userAgent)
        if let authorities = configuration.authorities { curl_set_string(easy, CURLOPT_CAINFO, authorities) }
        multi.watchSockets(of: easy)
        return Transfer(easy, client: self)
    }

    private func giveBack(_ transfer: Transfer) {
        multi.end(transfer)
        transfer.reset()
        if idle.count < configuration.idleHandleCount { idle.append(transfer) }
    }
}
