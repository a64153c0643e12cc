import Base
import HTTPClient
import JSON
import Loop
import TestKit

@testable import Stripe

/// A Stripe that does with each request what a test has prepared, and remembers what it was sent.
// Confined to its loop.
final class PreparedStripe: @unchecked Sendable {
    private(set) var requests: [Request] = []
    private(set) var url = ""
    private let loop: EventLoop
    private var upstream: ScriptedUpstream?
    private var doings: [Doing]

    struct Request {
        let line: String
        let fields: [String: String]
        let body: String

        init(head: String, body: String) {
            var lines = head.split(separator: "\r\n").map(String.init)
            line = lines.removeFirst()
            fields = Dictionary(
                uniqueKeysWithValues: lines.map { line in
                    let parts = line.split(separator: ":", maxSplits: 1)
                    return (parts[0].lowercased(), parts[1].drop { $0 == " " }.description)
                })
            self.body = body
        }
    }

    enum Doing {
        case answer(String, status: Int = 200, fields: String = "")
        /// Says that more will come than comes.
        case cut(String)
        case close, reset, silence
    }

    /// What is prepared last is done again and again.
    init(on loop: EventLoop, _ doings: [Doing]) throws {
        self.loop = loop
        self.doings = doings
        let upstream = try ScriptedUpstream(on: loop) { [weak self] peer in
            while let head = try await peer.head(), let self {
                guard try await self.serve(head, peer) else { return }
            }
        }
        self.upstream = upstream
        url = upstream.url
    }

    func close() { upstream?.close() }

    private func serve(_ head: String, _ peer: ScriptedUpstream.Peer) async throws -> Bool {
        let length = Request(head: head, body: "").fields["content-length"].flatMap { Int($0) } ?? 0
        guard let body = try await peer.read(length) else { return false }
        requests.append(Request(head: head, body: String(decoding: body, as: UTF8.self)))
        switch doings.count > 1 ? doings.removeFirst() : doings[0] {
        case .answer(let body, let status, let fields):
            try await peer.write(
                "HTTP/1.1 \(status) OK\r\nRequest-Id: req_\(requests.count)\r\nConnection: close\r\n\(fields)"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        case .cut(let body):
            try await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n\(body)")
        case .close: break
        case .reset: peer.reset()
        case .silence: try await peer.waitForClose()
        }
        return false
    }

    /// One that does not wait long, neither for answers nor between attempts.
    func client(_ change: (inout StripeConfiguration) -> Void = { _ in }) -> StripeClient {
        var configuration = StripeConfiguration(secretKey: Secret("sk_test_ours"), baseURL: "\(url)/")
        configuration.retry.firstPause = .milliseconds(2)
        change(&configuration)
        return StripeClient(configuration, HTTPClient(on: loop), on: loop)
    }
}

/// Runs `body` beside a Stripe that does what is prepared.
func withStripe<Result: Sendable>(
    _ doings: PreparedStripe.Doing..., body: @escaping @Sendable (PreparedStripe) async throws -> Result
) async throws -> Result {
    try await onLoop { loop in
        let stripe = try PreparedStripe(on: loop, doings)
        defer { stripe.close() }
        return try await body(stripe)
    }
}

/// What a call that has to fail fails with.
func failure(_ call: () async throws(StripeError) -> some Sendable) async -> StripeError? {
    do {
        _ = try await call()
        return nil
    } catch {
        return error
    }
}
