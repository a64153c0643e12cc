import Base
import HTTPWire
import JSON
import Loop
import TestKit
import Testing

@testable import Gateway

/// Images that a client names by their address, and has fetched.
struct ImageFetchTests {
    private static let png: [UInt8] =
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + Array("pixels".utf8)
    private static let inline = "data:image/png;base64,\(Base64.encode(png))"
    private static let open = OutboundPolicy(allowing: [IPNetwork("127.0.0.1/32")].compactMap { $0 })
    private static let wish = (name: "X-Hivegate-Fetch-Images", value: "true")

    // MARK: Worlds

    /// What came to a server, and how many requests were under way at once.
    private final class Log: Sendable {
        private let state = Locked((entries: [String](), underWay: 0, most: 0))
        var all: [String] { state.withLock { $0.entries } }
        var most: Int { state.withLock { $0.most } }
        func begin(_ entry: String) {
            state.withLock {
                $0.entries.append(entry)
                $0.underWay += 1
                $0.most = max($0.most, $0.underWay)
            }
        }
        func end() { state.withLock { $0.underWay -= 1 } }
    }

    /// A provider that answers, and notes the bodies that it gets.
    private static func provider(_ log: Log) -> GatewayWorld.Script {
        { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                .split(separator: " ").last
            let body = try await peer.read(length.flatMap { Int($0) } ?? 0) ?? []
            log.begin(String(decoding: body, as: UTF8.self).split(separator: #"\/"#).joined(separator: "/"))
            let answer = #"{"choices":[{"message":{"content":"a lighthouse"},"finish_reason":"stop"}]}"#
            try await peer.write(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: \(answer.utf8.count)\r\n\r\n\(answer)"
            )
        }
    }

    private static func head(_ status: String, _ more: String = "", length: Int = 0) -> String {
        "HTTP/1.1 \(status)\r\nConnection: close\r\n\(more)Content-Length: \(length)\r\n\r\n"
    }

    /// A server whose answer for a path is what `answer` says.
    private static func images(
        _ log: Log, _ answer: @escaping @Sendable (String, ScriptedUpstream.Peer) async throws -> Void
    ) -> @Sendable (ScriptedUpstream.Peer) async throws -> Void {
        { peer in
            guard let head = try await peer.head() else { return }
            let path = String(head.split(separator: " ")[1])
            log.begin(path)
            defer { log.end() }
            try await answer(path, peer)
        }
    }

    private static func picture(_ path: String, _ peer: ScriptedUpstream.Peer) async throws {
        // What a server says of its bytes is only its word.
        try await peer.write(head("200 OK", "Content-Type: text/html\r\n", length: png.count))
        try await peer.write(png)
    }

    /// Runs `body` with a gateway, the address of a server for images, and what came to either.
    private func run(
        policy: OutboundPolicy = open, _ change: (inout ImageFetchLimits) -> Void = { _ in },
        images: @escaping @Sendable (String, ScriptedUpstream.Peer) async throws -> Void = picture,
        _ body: @escaping @Sendable (GatewayWorld, String, _ asked: Log, _ fetched: Log) async throws -> Void
    ) async throws {
        let (asked, fetched) = (Log(), Log())
        var limits = Gateway.Limits()
        change(&limits.images)
        try await GatewayWorld.run(
            upstreams: ["p": Self.provider(asked)], policy: policy, limits: limits
        ) { world in
            let server = try ScriptedUpstream(on: world.loop, Self.images(fetched, images))
            defer { server.close() }
            try await body(world, server.url, asked, fetched)
        }
    }

    private static func ask(
        _ world: GatewayWorld, _ urls: [String], _ fields: [(name: String, value: String)] = [wish]
    ) async throws -> GatewayWorld.Answer {
        let parts = urls.map { #"{"type":"image_url","image_url":{"url":"\#($0)","detail":"low"}}"# }
        let content = ([#"{"type":"text","text":"What is this?"}"#] + parts).joined(separator: ",")
        return try await world.send(
            "POST", "/v1/chat/completions", [("Authorization", "Bearer \(world.key())")] + fields,
            body: #"{"model":"p/m","messages":[{"role":"user","content":[\#(content)]}]}"#)
    }

    // MARK: What is fetched

    @Test func `an image goes to the provider as its bytes say what it is`() async throws {
        try await run { world, url, asked, fetched in
            let answer = try await Self.ask(world, ["\(url)/a.png?b=c#d"])
            #expect(answer.status == 200, "\(answer.text)")
            #expect(fetched.all == ["/a.png?b=c"])
            let sent = try JSONDocument(parsing: Array((asked.all.first ?? "").utf8))
            let parts = sent["messages"]?.element(0)?["content"]
            #expect(parts?.element(0)?["text"]?.string == "What is this?")
            #expect(parts?.element(1)?["image_url"]?["url"]?.string == Self.inline)
            #expect(parts?.element(1)?["image_url"]?["detail"]?.string == "low")
        }
    }

    @Test func `nothing is fetched unless it is wished, and a wish that is none is refused`() async throws {
        try await run { world, url, asked, fetched in
            for fields in [[], [(name: Self.wish.name, value: "false")]] {
                #expect(try await Self.ask(world, ["\(url)/a"], fields).status == 200)
            }
            #expect(asked.all.count == 2 && asked.all.allSatisfy { $0.contains("\(url)/a") })
            let odd = try await Self.ask(world, ["\(url)/a"], [(name: Self.wish.name, value: "maybe")])
            #expect(odd.status == 400 && odd.text.contains(Self.wish.name))
            #expect(fetched.all.isEmpty && asked.all.count == 2)
        }
    }

    @Test(arguments: [
        (
            "/v1/messages",
            #"{"model":"p/m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"URL"}}]}]}"#
        ),
        (
            "/v1/messages",
            #"{"model":"p/m","max_tokens":9,"messages":[{"role":"user","content":"look"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"see","input":{}}]},"#
                + #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"url","url":"URL"}}]}]}]}"#
        ),
        (
            "/v1/responses",
            #"{"model":"p/m","input":[{"role":"user","content":[{"type":"input_image","image_url":"URL"}]}]}"#
        ),
        (
            "/api/v1/generate",
            #"{"model":"p/m","fetch_images":true,"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"URL"}}]}]}"#
        ),
    ]) func `whichever way a client asks`(path: String, body: String) async throws {
        try await run { world, url, asked, fetched in
            let whole = body.split(separator: "URL", omittingEmptySubsequences: false)
                .joined(separator: "\(url)/a")
            // Ours has a field of its own in the body.
            let fields = path.hasPrefix("/api") ? [] : [Self.wish]
            let answer = try await world.send(
                "POST", path, [("Authorization", "Bearer \(world.key())")] + fields, body: whole)
            #expect(fetched.all == ["/a"], "\(answer.text)")
            if body.contains("tool_result") {
                // Whether the provider's dialect can say it or not, it is an image now and no address.
                #expect(!(asked.all.first ?? answer.text).contains(url))
            } else {
                #expect(answer.status == 200 && asked.all.first?.contains(Self.inline) == true)
            }
        }
    }

    @Test func `several are fetched in turns of a few, and each finds back to its place`() async throws {
        try await run(
            images: { path, peer in
                try await Task.sleep(for: .milliseconds(30))
                let bytes = Self.png + Array(path.utf8)
                try await peer.write(Self.head("200 OK", length: bytes.count))
                try await peer.write(bytes)
            },
            { world, url, asked, fetched in
                let answer = try await Self.ask(world, (0..<20).map { "\(url)/\($0)" })
                #expect(answer.status == 200 && fetched.all.count == 20)
                #expect((2...4).contains(fetched.most))
                let sent = try JSONDocument(parsing: Array((asked.all.first ?? "").utf8))
                let urls = sent["messages"]?.element(0)?["content"]?.elements.compactMap {
                    $0["image_url"]?["url"]?.string
                }
                #expect(
                    urls
                        == (0..<20).map {
                            "data:image/png;base64,\(Base64.encode(Self.png + Array("/\($0)".utf8)))"
                        })
                let more = try await Self.ask(world, (0..<21).map { "\(url)/\($0)" })
                #expect(more.status == 400 && more.code == "image_too_large")
                #expect(more.text.contains("messages[0].content[21]") && fetched.all.count == 20)
            })
    }

    // MARK: Where nothing is fetched from

    /// The code of the error, after it was checked that nothing but the place was said.
    private static func refusal(
        _ world: GatewayWorld, _ url: String, _ asked: Log, hiding secrets: [String] = ["127.0.0."]
    ) async throws -> String? {
        let answer = try await ask(world, [url])
        #expect(answer.status == 400, "\(answer.text)")
        let error = try JSONDocument(parsing: answer.body)["error"]
        #expect(error?["param"]?.string == "messages[0].content[1]")
        for secret in secrets { #expect(!answer.text.contains(secret), "\(answer.text)") }
        #expect(asked.all.isEmpty, "no provider is asked")
        return answer.code
    }

    @Test
    func `an address that is not of the internet is not spoken to, and not told from one that is nobody's`()
        async throws
    {
        try await run(policy: OutboundPolicy()) { world, url, asked, fetched in
            let refused = try await Self.ask(world, ["\(url)/a"])
            let nobody = try await Self.ask(world, ["https://nobody.invalid/a"])
            #expect(refused.status == 400 && refused.code == "image_unreachable")
            let words = try [refused, nobody].map {
                try JSONDocument(parsing: $0.body)["error"]?["message"]?.string
            }
            #expect(words[0] == words[1] && words[0] != nil)
            let secure = "https" + url.dropFirst(4)
            let code = try await Self.refusal(world, "\(secure)/a", asked)
            #expect(code == "image_unreachable")
            #expect(fetched.all.isEmpty)
        }
    }

    @Test(arguments: [
        "file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://127.0.0.1", "http://", "nothing", "//a/b",
    ])
    func `an address of another kind is none`(url: String) async throws {
        try await run { world, _, asked, _ in
            let code = try await Self.refusal(world, url, asked, hiding: ["root:", "127.0.0."])
            #expect(code == "image_unreachable")
        }
    }

    @Test func `an address with a password is none`() async throws {
        try await run { world, url, asked, fetched in
            let withUser = "http://anna:hunter2@" + url.dropFirst("http://".count)
            let code = try await Self.refusal(world, "\(withUser)/a", asked, hiding: ["hunter2"])
            #expect(code == "image_unreachable")
            #expect(fetched.all.isEmpty)
        }
    }

    // MARK: What leads elsewhere

    @Test func `a redirect is followed and looked at again`() async throws {
        try await run(
            images: { path, peer in
                let locations = [
                    "/1": "2?x=y", "/2?x=y": "/3", "/r": "/r", "/f": "file:///etc/passwd",
                    "/i": "http://127.0.0.2:1/a", "/m": "http://169.254.169.254/latest", "/4": "/1",
                ]
                guard let location = locations[path] else { return try await Self.picture(path, peer) }
                try await peer.write(Self.head("302 Found", "Location: \(location)\r\n"))
            },
            { world, url, asked, fetched in
                for path in ["/r", "/f", "/i", "/m"] {
                    let code = try await Self.refusal(
                        world, url + path, asked, hiding: ["127.0.0.", "169.254", "passwd"])
                    #expect(code == "image_unreachable", "\(path)")
                }
                // As often as it may lead elsewhere, and once before that.
                #expect(fetched.all.count { $0 == "/r" } == 4)
                #expect(try await Self.ask(world, ["\(url)/1"]).status == 200)
                #expect(Array(fetched.all.suffix(3)) == ["/1", "/2?x=y", "/3"])
            })
    }

    @Test(arguments: [
        ("https://b.example/c", "https://b.example/c"), ("//b.example/c", "https://b.example/c"),
        ("/c", "https://a.example:8443/c"), ("c", "https://a.example:8443/x/c"),
        ("?q=1", "https://a.example:8443/x/y?q=1"), ("../c", "https://a.example:8443/x/../c"),
        ("file:///c", "file:///c"), ("http://b.example", "http://b.example"),
    ]) func `a location is read at where it was said`(location: String, expected: String) throws {
        let base = try URLAddress("https://a.example:8443/x/y?z=1")
        #expect(ImageFetch.resolve(location, at: base) == expected)
    }

    // MARK: What is no image, too much, or too slow

    @Test func `what is no image is not said, and neither is why a server refuses`() async throws {
        try await run(
            images: { path, peer in
                let secret = "<html>the moon landing</html>"
                let status = path == "/a.png" ? "200 OK" : "404 Not Found"
                try await peer.write(
                    Self.head(status, "Content-Type: image/png\r\n", length: secret.utf8.count))
                try await peer.write(secret)
            },
            { world, url, asked, _ in
                let hidden = ["moon", "127.0.0."]
                let code = try await Self.refusal(world, "\(url)/a.png", asked, hiding: hidden)
                #expect(code == "image_unsupported")
                let refused = try await Self.refusal(world, "\(url)/b", asked, hiding: hidden)
                #expect(refused == "image_unreachable")
            })
    }

    @Test func `an image without end is cut off, and so are several that are too much together`() async throws
    {
        let gone = Locked(0)
        try await run(
            {
                $0.largestImage = 100_000
                $0.largestTotal = 150_000
            },
            images: { path, peer in
                if path == "/endless" {
                    try await peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    // Ends with the connection.
                    do {
                        while true {
                            try await peer.write("3e8\r\n" + String(repeating: "x", count: 1000) + "\r\n")
                        }
                    } catch {
                        gone.withLock { $0 += 1 }
                        throw error
                    }
                }
                let bytes = Self.png + [UInt8](repeating: 0, count: 80_000)
                try await peer.write(Self.head("200 OK", length: bytes.count))
                try await peer.write(bytes)
            },
            { world, url, asked, _ in
                let code = try await Self.refusal(world, "\(url)/endless", asked)
                #expect(code == "image_too_large")
                let deadline = Instant.now() + .seconds(30)
                while gone.withLock({ $0 }) == 0, Instant.now() < deadline {
                    try await world.loop.sleep(for: .milliseconds(5))
                }
                #expect(gone.withLock { $0 } == 1)
                let both = try await Self.ask(world, ["\(url)/a", "\(url)/b"])
                #expect(both.status == 400 && both.code == "image_too_large")
                #expect(asked.all.isEmpty)
                #expect(try await Self.ask(world, ["\(url)/a"]).status == 200)
            })
    }

    @Test(arguments: ["/silent", "/drip"]) func `an image that does not come in time is given up`(
        path: String
    )
        async throws
    {
        try await run(
            { $0.time = .milliseconds(300) },
            images: { path, peer in
                if path == "/silent" { return try await peer.waitForClose() }
                try await peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                while true {
                    try await peer.write("1\r\nx\r\n")
                    try await Task.sleep(for: .milliseconds(20))
                }
            },
            { world, url, asked, _ in
                let code = try await Self.refusal(world, url + path, asked)
                #expect(code == "image_unreachable")
            })
    }

    @Test(
        arguments: [
            ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], "image/png"),
            ([0xFF, 0xD8, 0xFF, 0xE0], "image/jpeg"),
            (Array("GIF87a".utf8), "image/gif"), (Array("GIF89a".utf8), "image/gif"),
            (Array("RIFF____WEBPVP8 ".utf8), "image/webp"), (Array("RIFF____WAVE".utf8), nil),
            (Array("<svg xmlns".utf8), nil), (Array("%PDF-1.7".utf8), nil), ([], nil), ([0x89, 0x50], nil),
        ] as [([UInt8], String?)])
    func `a format is told by how it begins`(bytes: [UInt8], mediaType: String?) {
        #expect(ImageSignature(bytes)?.mediaType == mediaType)
    }
}
