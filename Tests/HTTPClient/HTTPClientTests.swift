import Base
import HTTPClient
import Loop
import TestKit
import Testing

struct HTTPClientTests {
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Thing:  a b \r\n\r\nhi"

    @Test(arguments: Way.allCases) func `a request arrives as it was made and its answer comes back`(way: Way)
        async throws
    {
        try await onLoop { loop in
            let heads = Box<[String]>([])
            let upstream = try ScriptedUpstream(on: loop) { peer in
                guard let head = try await peer.head(), let body = try await peer.read(7) else { return }
                heads.value.append(head + String(decoding: body, as: UTF8.self))
                try await peer.write(Self.ok)
            }
            let client = way.client(on: loop)
            let request = HTTPClientRequest(
                "POST", url: upstream.url + "/a?b=c",
                fields: [("Authorization", "Bearer x"), ("X-Empty", "")],
                body: .bytes(Array("content".utf8)))
            try await client.withResponse(request) { response in
                #expect(response.status == 200)
                #expect(response["x-thing"] == "a b")
                let body = try await response.body(limit: 100)
                #expect(body == Array("hi".utf8))
            }
            let text = try #require(heads.value.first)
            #expect(text.hasPrefix("POST /a?b=c HTTP/1.1\r\n"))
            #expect(text.contains("\r\nAuthorization: Bearer x\r\n") && text.contains(/\r\nX-Empty: ?\r\n/))
            #expect(text.contains("\r\nContent-Length: 7\r\n") && text.hasSuffix("\r\n\r\ncontent"))
            #expect(!text.contains("Expect"))
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases, ["GET", "HEAD", "DELETE", "PUT", "PATCH"])
    func `every method is sent under its own name, also where another was sent before`(
        way: Way, method: String
    ) async throws {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in
                while let head = try await peer.head() {
                    if head.contains("Content-Length: 4") { _ = try await peer.read(4) }
                    let name = String(head.prefix { $0 != " " })
                    let body = name == "HEAD" ? "" : name
                    try await peer.write(
                        "HTTP/1.1 200 OK\r\nContent-Length: \(name.utf8.count)\r\n\r\n\(body)")
                }
            }
            let client = way.client(on: loop)
            for current in ["POST", method, "GET"] {
                let hasBody = current != "GET" && current != "HEAD" && current != "DELETE"
                let request = HTTPClientRequest(
                    current, url: upstream.url, body: hasBody ? .bytes([1, 2, 3, 4]) : .none)
                let body = try await client.withResponse(request) { try await $0.body(limit: 100) }
                #expect(String(decoding: body, as: UTF8.self) == (current == "HEAD" ? "" : current))
            }
            #expect(upstream.connectionCount == 1)
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases) func `what one request carried is not carried by the next`(way: Way)
        async throws
    {
        try await onLoop { loop in
            let heads = Box<[String]>([])
            let upstream = try ScriptedUpstream(on: loop) { peer in
                while let head = try await peer.head() {
                    if head.contains("Content-Length: 4") { _ = try await peer.read(4) }
                    heads.value.append(head)
                    try await peer.write(Self.ok)
                }
            }
            let client = way.client(on: loop)
            let tenants = [("/a", "one"), ("/a", "two"), ("/b", "two"), ("/b", ""), ("/a", "one")]
            for (path, key) in tenants {
                let request = HTTPClientRequest(
                    "POST", url: upstream.url + path,
                    fields: key.isEmpty ? [] : [("Authorization", "Bearer \(key)")],
                    body: .bytes([1, 2, 3, 4]))
                _ = try await client.withResponse(request) { try await $0.body(limit: 100) }
            }
            for ((path, key), head) in zip(tenants, heads.value) {
                #expect(head.hasPrefix("POST \(path) HTTP/1.1\r\n"))
                let keys = head.split(separator: "\r\n").filter { $0.hasPrefix("Authorization:") }
                #expect(keys == (key.isEmpty ? [] : ["Authorization: Bearer \(key)"]))
            }
            #expect(heads.value.count == tenants.count)
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases) func `a stream is read piece by piece as it comes`(way: Way) async throws {
        try await onLoop { loop in
            let step = Waiter(loop)
            let upstream = try ScriptedUpstream(on: loop) { peer in
                _ = try await peer.head()
                try await peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for number in 0..<3 {
                    try await peer.write("6\r\npiece\(number)\r\n")
                    try await step.wait()
                }
                try await peer.write("0\r\n\r\n")
            }
            try await way.client(on: loop).withResponse(HTTPClientRequest(url: upstream.url)) { response in
                for number in 0..<3 {
                    let piece = try await response.next()
                    #expect(piece == Array("piece\(number)".utf8))
                    step.wake()
                }
                let ends = [try await response.next(), try await response.next()]
                #expect(ends == [nil, nil])
            }
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases)
    func `a reader that does not ask makes the upstream wait, and loses nothing`(way: Way) async throws {
        try await onLoop { loop in
            let size = 24 * 1024 * 1024
            let sent = Box(0)
            let upstream = try ScriptedUpstream(on: loop) { peer in
                _ = try await peer.head()
                try await peer.write("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                let piece = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                while sent.value < size {
                    try await peer.write(piece)
                    sent.value += piece.count
                }
            }
            try await way.client(on: loop).withResponse(HTTPClientRequest(url: upstream.url)) { response in
                try await loop.sleep(for: .milliseconds(300))
                // What the kernel's two socket buffers take, and our own bound; far from all.
                #expect(sent.value < size / 2)
                var count = 0
                while let piece = try await response.next() {
                    #expect(piece.first == UInt8(truncatingIfNeeded: count &* 7))
                    count += piece.count
                }
                #expect(count == size)
            }
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases) func `a body that is produced while it is sent arrives whole, in chunks`(
        way: Way
    ) async throws {
        try await onLoop { loop in
            let received = Box("")
            let upstream = try ScriptedUpstream(on: loop) { peer in
                guard let head = try await peer.head() else { return }
                received.value = head
                while !received.value.hasSuffix("0\r\n\r\n"), let byte = try await peer.read(1) {
                    received.value += String(decoding: byte, as: UTF8.self)
                }
                try await peer.write(Self.ok)
            }
            let upload = HTTPUpload(on: loop)
            let writer = loop.spawn {
                for word in ["one", "two", "three"] {
                    try? await loop.sleep(for: .milliseconds(5))
                    try? await upload.write(Array(word.utf8))
                }
                upload.finish()
            }
            let status = try await way.client(on: loop).withResponse(
                HTTPClientRequest("POST", url: upstream.url, body: .stream(upload))
            ) { $0.status }
            await writer.value
            #expect(status == 200)
            #expect(received.value.contains("Transfer-Encoding: chunked"))
            #expect(received.value.hasSuffix("3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"))
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases) func `leaving before the end closes the connection to the upstream`(
        way: Way
    ) async throws {
        try await onLoop { loop in
            let closed = Waiter(loop)
            let upstream = try ScriptedUpstream(on: loop) { peer in
                _ = try await peer.head()
                try await peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
                try await peer.waitForClose()
                closed.wake()
            }
            let client = way.client(on: loop)
            try await client.withResponse(HTTPClientRequest(url: upstream.url)) { response in
                let piece = try await response.next()
                #expect(piece == Array("abc".utf8))
            }
            try await closed.wait(until: .now() + .seconds(120))
            #expect(client.transferCount == 0)
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases) func `cancelling the task ends its request and closes the connection`(
        way: Way
    ) async throws {
        try await onLoop { loop in
            let reached = Waiter(loop)
            let closed = Waiter(loop)
            let upstream = try ScriptedUpstream(on: loop) { peer in
                _ = try await peer.head()
                reached.wake()
                try await peer.waitForClose()
                closed.wake()
            }
            let client = way.client(on: loop)
            let outcome = Box<HTTPClientError?>(nil)
            let task = loop.spawn {
                do {
                    try await client.withResponse(HTTPClientRequest(url: upstream.url)) { _ in }
                } catch {
                    outcome.value = error as? HTTPClientError
                }
            }
            try await reached.wait(until: .now() + .seconds(120))
            task.cancel()
            await task.value
            #expect(outcome.value?.kind == .cancelled)
            try await closed.wait(until: .now() + .seconds(120))
            #expect(client.transferCount == 0)
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases)
    func `connections are kept, and one that the upstream closed meanwhile is replaced`(way: Way) async throws
    {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in
                for _ in 0..<2 {
                    guard try await peer.head() != nil else { return }
                    try await peer.write(Self.ok)
                }
            }
            let client = way.client(on: loop)
            var reused: [Bool] = []
            for _ in 0..<4 {
                reused.append(
                    try await client.withResponse(HTTPClientRequest(url: upstream.url)) { response in
                        _ = try await response.body(limit: 10)
                        return response.usedExistingConnection
                    })
                try await loop.sleep(for: .milliseconds(20))
            }
            #expect(reused == [false, true, false, true])
            #expect(upstream.connectionCount == 2)
            upstream.close()
        }
    }

    @Test(arguments: Way.allCases) func `hundreds of requests at once all come back`(way: Way) async throws {
        try await onLoop { loop in
            let upstream = try ScriptedUpstream(on: loop) { peer in
                while let head = try await peer.head() {
                    let path = head.split(separator: " ")[1]
                    try await peer.write(
                        "HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\n\r\n\(path)")
                }
            }
            let client = way.client(on: loop)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        let request = HTTPClientRequest(url: "\(upstream.url)/\(number)")
                        let body = try await client.withResponse(request) { try await $0.body(limit: 100) }
                        return String(decoding: body, as: UTF8.self) == "/\(number)"
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
            #expect(client.transferCount == 0)
            upstream.close()
        }
    }
}

/// Touched on one loop only.
final class Box<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}
