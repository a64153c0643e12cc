import Base
import HTTPClient
import Loop
import TestKit
import Testing

/// What becomes of a connection without TLS after an answer.
struct KeptConnectionTests {
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

    /// Asks twice, each after the other, and says how many connections that took and what came.
    private func askTwice(
        _ way: Way, method: String = "GET", body: HTTPClientRequest.Body = .none, _ answer: String,
        closes: Bool = false
    ) async throws -> (connections: Int, bodies: [String]) {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in
                while try await peer.head() != nil {
                    try await peer.write(answer)
                    if closes { return }
                }
            }
            defer { upstream.close() }
            let client = way.client(on: loop)
            var bodies: [String] = []
            for _ in 0..<2 {
                let request = HTTPClientRequest(method, url: upstream.url, body: body)
                let text = try await client.withResponse(request) { try await $0.body(limit: 1000) }
                bodies.append(String(decoding: text, as: UTF8.self))
                try await loop.sleep(for: .milliseconds(10))
            }
            return (upstream.connectionCount, bodies)
        }
    }

    @Test(arguments: Way.allCases)
    func `an answer that says where it ends leaves its connection for the next`(way: Way) async throws {
        for answer in [
            Self.ok,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1;x\r\ni\r\n0\r\nA: b\r\n\r\n",
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
            "HTTP/1.1 100 Continue\r\n\r\n" + Self.ok,
        ] {
            let (connections, bodies) = try await askTwice(way, answer)
            #expect(connections == 1)
            #expect(bodies == ["hi", "hi"])
        }
        #expect(try await askTwice(way, "HTTP/1.1 204 No Content\r\n\r\n").connections == 1)
        let toHEAD = try await askTwice(way, method: "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        #expect(toHEAD == (1, ["", ""]))
    }

    @Test(arguments: Way.allCases)
    func `an answer that ends with its connection is whole, and the next has another`(way: Way) async throws {
        for head in [
            "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        ] {
            let (connections, bodies) = try await askTwice(way, head + "all of it", closes: true)
            #expect(connections == 2)
            #expect(bodies == ["all of it", "all of it"])
        }
    }

    @Test func `a connection on which more came than was asked for is not used again`() async throws {
        for answer in [
            Self.ok + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", Self.ok + "x",
            "HTTP/1.1 204 No Content\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        ] {
            let (connections, bodies) = try await askTwice(.ours, answer)
            #expect(connections == 2)
            #expect(bodies.first == bodies.last)
        }
    }

    @Test func `an answer that nobody has asked for is not given to the next who asks`() async throws {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in
                while try await peer.head() != nil {
                    try await peer.write(Self.ok)
                    try await loop.sleep(for: .milliseconds(5))
                    try await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
                }
            }
            let client = Way.ours.client(on: loop)
            for _ in 0..<3 {
                let body = try await client.withResponse(HTTPClientRequest(url: upstream.url)) {
                    try await $0.body(limit: 100)
                }
                #expect(String(decoding: body, as: UTF8.self) == "hi")
                try await loop.sleep(for: .milliseconds(20))
            }
            #expect(upstream.connectionCount == 3)
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases)
    func `what was never answered on a kept connection is sent once more on another`(way: Way) async throws {
        try await onLoop { loop in
            let bodies = Box<[String]>([])
            let upstream = try ScriptedUpstream(on: loop) { peer in
                for turn in 0..<2 {
                    guard try await peer.head() != nil, let body = try await peer.read(5) else { return }
                    bodies.value.append(String(decoding: body, as: UTF8.self))
                    // The second is read and not answered.
                    if turn == 1 { return peer.reset() }
                    try await peer.write(Self.ok)
                }
            }
            let client = way.client(on: loop)
            for word in ["first", "again"] {
                let request = HTTPClientRequest("POST", url: upstream.url, body: .bytes(Array(word.utf8)))
                #expect(
                    try await client.withResponse(request) { response in
                        _ = try await response.body(limit: 10)
                        return response.usedExistingConnection
                    } == false)
            }
            #expect(bodies.value == ["first", "again", "again"])
            #expect(upstream.connectionCount == 2)
            upstream.close()
        }
    }

    @Test func `what was answered in part is never sent twice`() async throws {
        try await onLoop { loop in
            let asked = Box(0)
            let upstream = try ScriptedUpstream(on: loop) { peer in
                while try await peer.head() != nil {
                    asked.value += 1
                    try await peer.write(asked.value == 1 ? Self.ok : "HTTP/1.1 2")
                    if asked.value == 2 { return }
                }
            }
            let client = Way.ours.client(on: loop)
            try await client.withResponse(HTTPClientRequest(url: upstream.url)) {
                _ = try await $0.body(limit: 10)
            }
            await #expect(throws: HTTPClientError.self) {
                try await client.withResponse(HTTPClientRequest(url: upstream.url)) { _ in }
            }
            #expect(asked.value == 2)
            upstream.close()
        }
    }

    @Test func `an upload that was begun is not sent twice`() async throws {
        try await onLoop { loop in
            let asked = Box(0)
            let upstream = try ScriptedUpstream(on: loop) { peer in
                while try await peer.head() != nil {
                    asked.value += 1
                    if asked.value == 2 {
                        _ = try await peer.read(8)
                        return
                    }
                    try await peer.write(Self.ok)
                }
            }
            let client = Way.ours.client(on: loop)
            try await client.withResponse(HTTPClientRequest(url: upstream.url)) {
                _ = try await $0.body(limit: 10)
            }
            let upload = HTTPUpload(on: loop)
            try await upload.write(Array("once".utf8))
            await #expect {
                try await client.withResponse(
                    HTTPClientRequest("POST", url: upstream.url, body: .stream(upload))
                ) { _ in }
            } throws: {
                ($0 as? HTTPClientError)?.kind == .connectionLost
            }
            #expect(asked.value == 2)
            upstream.close()
        }
    }

    @Test func `a refusal before the request is whole is read, and the connection given up`() async throws {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in
                guard try await peer.head() != nil else { return }
                try await peer.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
                try await peer.waitForClose()
            }
            let client = Way.ours.client(on: loop)
            for _ in 0..<2 {
                let upload = HTTPUpload(on: loop)
                try await upload.write(Array("a part".utf8))
                let status = try await client.withResponse(
                    HTTPClientRequest("POST", url: upstream.url, body: .stream(upload))
                ) { response in
                    let body = try await response.body(limit: 10)
                    #expect(body == Array("big".utf8))
                    return response.status
                }
                #expect(status == 413)
                await #expect(throws: HTTPClientError.self) { try await upload.write([1]) }
            }
            #expect(upstream.connectionCount == 2)
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases)
    func `a body larger than any buffer goes out whole while the other side takes its time`(
        way: Way
    ) async throws {
        try await onLoop { loop in
            let size = 8 * 1024 * 1024
            let isRight = Box(false)
            let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let upstream = try ScriptedUpstream(on: loop) { peer in
                _ = try await peer.head()
                try await loop.sleep(for: .milliseconds(50))
                isRight.value = try await peer.read(size) == body
                try await peer.write(Self.ok)
            }
            let status = try await way.client(on: loop).withResponse(
                HTTPClientRequest("POST", url: upstream.url, body: .bytes(body))
            ) { $0.status }
            #expect(status == 200)
            #expect(isRight.value)
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases)
    func `an answer that drips in byte by byte is the same answer`(way: Way) async throws {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in
                _ = try await peer.head()
                let answer =
                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Thing: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "3\r\nabc\r\nA\r\ndefghijklm\r\n0\r\n\r\n"
                for byte in answer.utf8 {
                    try await peer.write([byte])
                    try await loop.sleep(for: .microseconds(200))
                }
            }
            try await way.client(on: loop).withResponse(HTTPClientRequest(url: upstream.url)) { response in
                #expect(response["X-Thing"] == "a")
                let body = try await response.body(limit: 100)
                #expect(String(decoding: body, as: UTF8.self) == "abcdefghijklm")
            }
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases)
    func `no more connections are kept than are to be`(way: Way) async throws {
        try await onLoop { loop in
            let open = Box(0)
            let upstream = try ScriptedUpstream(on: loop) { peer in
                open.value += 1
                while try await peer.head() != nil { try await peer.write(Self.ok) }
                open.value -= 1
            }
            var configuration = HTTPClient.Configuration()
            configuration.idleConnectionCount = 3
            let client = way.client(on: loop, configuration)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        _ = try? await client.withResponse(HTTPClientRequest(url: upstream.url)) {
                            try await $0.body(limit: 10)
                        }
                    }
                }
            }
            try await loop.sleep(for: .milliseconds(50))
            #expect((1...3).contains(open.value))
            upstream.close()
        }
    }
}
