import Base
import HTTPClient
import Loop
import TestKit
import Testing

struct HTTPClientFaultTests {
    private typealias Script = @Sendable (ScriptedUpstream.Peer) async throws -> Void

    private func failure(
        _ way: Way, _ deadlines: HTTPClientRequest.Deadlines = .init(), _ script: @escaping Script
    ) async throws -> HTTPClientError? {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop, script)
            defer { upstream.close() }
            return await self.failure(
                way, HTTPClientRequest(url: upstream.url, deadlines: deadlines), on: loop)
        }
    }

    private func failure(_ way: Way, _ request: HTTPClientRequest, on loop: EventLoop) async
        -> HTTPClientError?
    {
        do {
            try await way.client(on: loop).withResponse(request) { response in
                _ = try await response.body(limit: 1_000_000)
            }
            return nil
        } catch {
            return error as? HTTPClientError
        }
    }

    @Test(arguments: Way.allCases)
    func `an upstream that says nothing is given up at the first-byte deadline`(way: Way) async throws {
        let error = try await failure(way, .init(firstByte: .milliseconds(50))) { peer in
            _ = try await peer.head()
            try await peer.waitForClose()
        }
        #expect(error?.kind == .firstByteTimeout)
        #expect(error?.mayHaveExecuted == true)
    }

    @Test(arguments: Way.allCases)
    func `an upstream that stops in the middle is given up at the deadline between bytes`(way: Way)
        async throws
    {
        let error = try await failure(way, .init(betweenBytes: .milliseconds(50))) { peer in
            _ = try await peer.head()
            try await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            try await peer.waitForClose()
        }
        #expect(error?.kind == .betweenBytesTimeout)
    }

    @Test(arguments: Way.allCases) func `an upstream that drips for ever is given up at the total deadline`(
        way: Way
    ) async throws {
        let error = try await failure(way, .init(betweenBytes: .seconds(5), total: .milliseconds(100))) {
            peer in
            _ = try await peer.head()
            try await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while true {
                try await peer.write("x")
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        #expect(error?.kind == .totalTimeout)
    }

    @Test(arguments: Way.allCases) func `an answer cut short is an error, never a short success`(way: Way)
        async throws
    {
        for head in ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"] {
            let error = try await failure(way) { peer in
                _ = try await peer.head()
                try await peer.write("HTTP/1.1 200 OK\r\n" + head)
            }
            #expect(error?.kind == .connectionLost)
        }
    }

    @Test(arguments: Way.allCases) func `a connection closed or reset before the answer is named`(way: Way)
        async throws
    {
        let closed = try await failure(way) { peer in _ = try await peer.head() }
        #expect(closed?.kind == .connectionLost)
        #expect(closed?.mayHaveExecuted == true)
        let reset = try await failure(way) { peer in
            _ = try await peer.head()
            peer.reset()
        }
        #expect(reset?.kind == .connectionLost)
    }

    @Test(arguments: Way.allCases) func `an answer that is not HTTP, or has an endless head, is refused`(
        way: Way
    ) async throws {
        let garbage = try await failure(way) { peer in
            _ = try await peer.head()
            try await peer.write("SSH-2.0-OpenSSH_9.2\r\n\r\n")
        }
        #expect(garbage?.kind == .protocolError)
        let endless = try await failure(way) { peer in
            _ = try await peer.head()
            try await peer.write("HTTP/1.1 200 OK\r\n")
            while true { try await peer.write("X-Filler: \(String(repeating: "x", count: 1000))\r\n") }
        }
        #expect(endless?.kind == .tooLarge)
    }

    @Test(arguments: Way.allCases) func `an answer larger than asked for is refused`(way: Way) async throws {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in
                _ = try await peer.head()
                try await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n")
                for _ in 0..<2000 { try await peer.write([UInt8](repeating: 1, count: 1000)) }
            }
            let error = await failure(way, HTTPClientRequest(url: upstream.url), on: loop)
            #expect(error?.kind == .tooLarge)
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases) func `an interim answer is passed over`(way: Way) async throws {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in
                _ = try await peer.head()
                try await peer.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
                try await peer.write("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
            }
            try await way.client(on: loop).withResponse(HTTPClientRequest(url: upstream.url)) { response in
                #expect(response.status == 201)
                #expect(response["Link"] == nil)
            }
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases) func `a redirect is an answer and is not followed`(way: Way) async throws {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in
                _ = try await peer.head()
                try await peer.write(
                    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
            }
            let status = try await way.client(on: loop).withResponse(HTTPClientRequest(url: upstream.url)) {
                $0.status
            }
            #expect(status == 302)
            #expect(upstream.connectionCount == 1)
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases)
    func `the resolved address is checked when a socket opens and again when it is reused`(way: Way)
        async throws
    {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in
                while try await peer.head() != nil {
                    try await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                }
            }
            let client = way.client(on: loop)
            let url = "http://localhost:\(upstream.port)"
            let refused = await failure(
                way, HTTPClientRequest(url: url, allowsAddress: { _ in false }), on: loop)
            #expect(refused?.kind == .addressRefused)
            #expect(upstream.connectionCount == 0)

            let isLoopback: @Sendable (IPAddress) -> Bool = { ["127.0.0.1", "::1"].contains($0.description) }
            let allowed = HTTPClientRequest(url: url, allowsAddress: isLoopback)
            try await client.withResponse(allowed) { #expect($0.status == 200) }
            #expect(upstream.connectionCount == 1)
            await #expect(throws: HTTPClientError.self) {
                try await client.withResponse(HTTPClientRequest(url: url, allowsAddress: { _ in false })) {
                    _ in
                }
            }
            #expect(upstream.connectionCount == 1)
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases)
    func `an upstream that cannot be reached, resolved or spoken to is named as such`(way: Way) async throws {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { _ in }
            let url = upstream.url
            upstream.close()
            #expect(await failure(way, HTTPClientRequest(url: url), on: loop)?.kind == .connect)
            #expect(await failure(way, HTTPClientRequest(url: url), on: loop)?.mayHaveExecuted == false)
            #expect(
                await failure(way, HTTPClientRequest(url: "ftp://127.0.0.1/"), on: loop)?.kind
                    == .invalidRequest)
            let invalid = HTTPClientRequest(url: url, fields: [("X", "a\r\nHost: b")])
            #expect(await failure(way, invalid, on: loop)?.kind == .invalidRequest)
            let unknown = HTTPClientRequest(url: "http://no-such-host.invalid/")
            #expect(await failure(way, unknown, on: loop)?.kind == .resolve)
        }
    }

    @Test(arguments: Way.allCases) func `one request too many is refused at once`(way: Way) async throws {
        try await onLoop { loop in
            let reached = Waiter(loop)
            let upstream = try ScriptedUpstream(on: loop) { peer in
                reached.wake()
                try await peer.waitForClose()
            }
            var configuration = HTTPClient.Configuration()
            configuration.largestTransferCount = 1
            let client = way.client(on: loop, configuration)
            let first = loop.spawn {
                try? await client.withResponse(HTTPClientRequest(url: upstream.url)) { _ in }
            }
            try await reached.wait(until: .now() + .seconds(120))
            await #expect {
                try await client.withResponse(HTTPClientRequest(url: upstream.url)) { _ in }
            } throws: {
                ($0 as? HTTPClientError)?.kind == .tooManyTransfers
            }
            first.cancel()
            await first.value
            upstream.close()
        }
    }
}
