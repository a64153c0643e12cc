import Base
import Glibc
import HTTPServer
import HTTPWire
import TestKit
import Testing

@Suite(.timeLimit(.minutes(2)))
struct StaticFilesTests {
    /// A directory that is gone when the test is.
    final class Directory: Sendable {
        let path: String

        init(_ files: [String: String]) throws {
            path = TemporaryDirectory.make("files")
            for (name, content) in files {
                let file = "\(path)/\(name)"
                try Files.makeDirectories(String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)]))
                try write(name, content)
            }
        }

        deinit { TemporaryDirectory.remove(path) }

        func write(_ name: String, _ content: String) throws {
            try Files.write(Array(content.utf8), to: "\(path)/\(name)", mode: 0o644)
        }
    }

    /// What a test wants otherwise than it is by default.
    struct Change {
        var apply: (inout StaticFiles.Settings) -> Void

        init(_ apply: @escaping (inout StaticFiles.Settings) -> Void) { self.apply = apply }
    }

    static let content = [
        "index.html": "<h1>home</h1>", "app.3f2a9c1b.js": "alert(1)", "app.3f2a9c1b.js.br": "BROTLI",
        "app.3f2a9c1b.js.gz": "GZIP", "docs/index.html": "docs", "docs/a b.txt": "0123456789",
        ".hidden": "secret",
        "lonely.gz": "archive", "empty.txt": "",
    ]

    private func withFiles(
        _ change: Change = Change { _ in },
        _ body: @escaping @Sendable (ServerFixture, TestClient, StaticFiles, Directory) async throws -> Void
    ) async throws {
        let directory = try Directory(Self.content)
        var settings = StaticFiles.Settings()
        change.apply(&settings)
        let files = try StaticFiles(directory: directory.path, settings)
        let routes = [route(.get, "/", files.handler()), route(.get, "/{path*}", files.handler())]
        try await withServer(.memory, routes) { fixture in
            try await body(fixture, try fixture.connect(), files, directory)
        }
    }

    @Test func `a file has its type, tag and cache rule`() async throws {
        try await withFiles { _, client, _, _ in
            try await client.send(get("/") + get("/app.3f2a9c1b.js") + get("/docs/") + get("/docs/a%20b.txt"))
            let home = try await client.response()
            #expect(home.text == "<h1>home</h1>")
            #expect(home.fields["content-type"] == "text/html; charset=utf-8")
            #expect(home.fields["cache-control"] == "no-cache")
            #expect(home.fields["x-content-type-options"] == "nosniff")
            #expect(home.fields["etag"]?.hasPrefix("\"") == true && home.fields["vary"] == nil)
            let script = try await client.response()
            #expect(script.text == "alert(1)")
            #expect(script.fields["cache-control"] == "public, max-age=31536000, immutable")
            #expect(script.fields["vary"] == "Accept-Encoding")
            #expect(try await client.response().text == "docs")
            #expect(try await client.response().text == "0123456789")
        }
    }

    @Test func `a compressed form goes to who takes it, with a tag of its own`() async throws {
        try await withFiles { _, client, _, _ in
            var tags: Set<String> = []
            for (accept, body, coding) in [
                ("br, gzip", "BROTLI", "br"), ("gzip", "GZIP", "gzip"), ("br;q=0, gzip", "GZIP", "gzip"),
                ("identity", "alert(1)", nil), ("", "alert(1)", nil),
            ] as [(String, String, String?)] {
                try await client.send(get("/app.3f2a9c1b.js", "Accept-Encoding: \(accept)\r\n"))
                let response = try await client.response()
                #expect(response.text == body && response.fields["content-encoding"] == coding)
                #expect(response.fields["content-type"] == "text/javascript; charset=utf-8")
                tags.insert(response.fields["etag"] ?? "")
            }
            #expect(tags.count == 3)
            // A compressed form is no file of its own; an archive is.
            try await client.send(get("/app.3f2a9c1b.js.br") + get("/lonely.gz"))
            #expect(try await client.response().status == 404)
            #expect(try await client.response().text == "archive")
        }
    }

    @Test func `what the client has is not sent again`() async throws {
        try await withFiles { _, client, _, _ in
            try await client.send(get("/docs/a%20b.txt"))
            let tag = try await client.response().fields["etag"] ?? ""
            try await client.send(get("/docs/a%20b.txt", "If-None-Match: \"x\", W/\(tag)\r\n"))
            let unchanged = try await client.response()
            #expect(unchanged.status == 304 && unchanged.body.isEmpty)
            #expect(unchanged.fields["etag"] == tag && unchanged.fields["content-length"] == nil)
            try await client.send(get("/docs/a%20b.txt", "If-None-Match: \"x\"\r\n"))
            #expect(try await client.response().status == 200)
        }
    }

    @Test func `a part of a file can be asked for`() async throws {
        try await withFiles { _, client, _, _ in
            try await client.send(get("/docs/a%20b.txt"))
            let tag = try await client.response().fields["etag"] ?? ""
            for (field, status, body, range) in [
                ("Range: bytes=2-4", 206, "234", "bytes 2-4/10"),
                ("Range: bytes=-3", 206, "789", "bytes 7-9/10"),
                ("Range: bytes=8-", 206, "89", "bytes 8-9/10"), ("Range: bytes=10-", 416, "", "bytes */10"),
                ("Range: bytes=1-2,4-5", 200, "0123456789", nil),
                ("Range: bytes=2-4\r\nIf-Range: \(tag)", 206, "234", "bytes 2-4/10"),
                ("Range: bytes=2-4\r\nIf-Range: \"old\"", 200, "0123456789", nil),
            ] as [(String, Int, String, String?)] {
                try await client.send(get("/docs/a%20b.txt", field + "\r\n"))
                let response = try await client.response()
                #expect(response.status == status && response.text == body, "\(field)")
                #expect(response.fields["content-range"] == range)
            }
        }
    }

    @Test(arguments: [
        "/../etc/passwd", "/docs/../index.html", "/%2e%2e/etc/passwd", "/..%2fetc%2fpasswd", "/.hidden",
        "/docs",
        "//index.html", "/docs//index.html", "/%2Findex.html%2F", "/index.html/", "/./index.html", "/nothing",
        "/docs%5c..%5cindex.html",
    ])
    func `no spelling of a path leads out of the directory`(target: String) async throws {
        try await withFiles { _, client, _, _ in
            try await client.send(get(target))
            #expect(try await client.response().status == 404)
        }
    }

    @Test func `an application that reads its own path gets its page`() async throws {
        try await withFiles(
            Change { settings in
                settings.fallback = "index.html"
                settings.fields = ["Content-Security-Policy": "default-src 'none'"]
            }
        ) { _, client, _, _ in
            try await client.send(get("/some/page"))
            let response = try await client.response()
            #expect(response.status == 200 && response.text == "<h1>home</h1>")
            #expect(response.fields["content-security-policy"] == "default-src 'none'")
        }
    }

    @Test func `files are read anew on request, and a failure keeps the old`() async throws {
        try await withFiles { _, client, files, directory in
            try directory.write("index.html", "new")
            try await client.send(get("/"))
            #expect(try await client.response().text == "<h1>home</h1>")
            try files.reload()
            try await client.send(get("/"))
            #expect(try await client.response().text == "new")
            #expect(rename(directory.path, directory.path + "-gone") == 0)
            defer { _ = rename(directory.path + "-gone", directory.path) }
            #expect(throws: SystemError.self) { try files.reload() }
            try await client.send(get("/"))
            #expect(try await client.response().text == "new")
        }
    }

    @Test func `HEAD of a file tells its length, and an empty file is a file`() async throws {
        try await withFiles { _, client, _, _ in
            try await client.send("HEAD /docs/a%20b.txt HTTP/1.1\r\nHost: a\r\n\r\n" + get("/empty.txt"))
            let head = try await client.response(toHead: true)
            #expect(head.status == 200 && head.fields["content-length"] == "10")
            let empty = try await client.response()
            #expect(empty.status == 200 && empty.body.isEmpty)
        }
    }

    @Test func `a symbolic link is not followed`() async throws {
        let directory = try Directory(["a.txt": "a"])
        #expect(symlink("/etc/passwd", "\(directory.path)/link.txt") == 0)
        #expect(try StaticFiles(directory: directory.path).paths == ["a.txt"])
    }
}
