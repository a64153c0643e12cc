import Base
import Catalog
import Loop
import TestKit
import Testing

@testable import Gateway

/// What a client that calls a model learns of its end.
struct RetirementTests {
    private static let deprecated = Timestamp(seconds: 1_688_169_599)
    private static let shutdown = Timestamp(seconds: 4_102_444_800)
    private static let models = [
        CatalogModel("a", "old") {
            $0.deprecatedOn = deprecated
            $0.shutdownOn = shutdown
            $0.replacement = "a/new"
        },
        CatalogModel("a", "fading") { $0.deprecatedOn = deprecated },
        CatalogModel("a", "ending") { $0.shutdownOn = shutdown },
        CatalogModel("a", "new"), CatalogModel("b", "new"),
    ]

    private static func script(_ answer: String) -> GatewayWorld.Script {
        { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                .split(separator: " ").last
            _ = try await peer.read(length.flatMap { Int($0) } ?? 0)
            try await peer.write(answer)
        }
    }

    private static let whole = #"{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}"#
    private static let good =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
        + "Content-Length: \(whole.utf8.count)\r\n\r\n\(whole)"
    private static let stream =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        + "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"

    private func fields(
        _ model: String, _ more: String = "", answers: [String: String] = ["a": good, "b": good]
    ) async throws -> [String?] {
        let found = Locked<[String?]>([])
        try await GatewayWorld.run(
            upstreams: answers.mapValues { Self.script($0) }, catalog: SharedCatalog(Self.models)
        ) { world in
            let answer = try await world.complete(model, key: world.key(), more)
            #expect(answer.status == 200)
            let fields = ["Deprecation", "Sunset", "X-Hivegate-Replacement"].map { answer[$0] }
            found.withLock { $0 = fields }
        }
        return found.withLock { $0 }
    }

    private static let all = ["@1688169599", "Fri, 01 Jan 2100 00:00:00 GMT", "a/new"]

    @Test
    func `it is told since when the model should not be used, until when it can be, and what to use instead`()
        async throws
    {
        #expect(try await fields("a/old") == Self.all)
        #expect(try await fields("a/old", #","stream":true"#, answers: ["a": Self.stream]) == Self.all)
    }

    @Test func `it is told what is known, and nothing of a model that stays`() async throws {
        #expect(try await fields("a/fading") == ["@1688169599", nil, nil])
        #expect(try await fields("a/ending") == [nil, Self.all[1], nil])
        #expect(try await fields("a/new") == [nil, nil, nil])
    }

    @Test func `what counts is the model that answers`() async throws {
        let broken = Self.stream.replacing("data: {", with: "data: !{")
        let moved = try await fields(
            "a/old", #","stream":true,"models":["b/new"]"#, answers: ["a": broken, "b": Self.stream])
        #expect(moved == [nil, nil, nil])
    }
}
