import Base
import Cache
import Chat
import JSON
import Testing

struct CacheKeyTests {
    private let organization = UUID(high: 1, low: 2)

    private func subject(
        _ document: JSONDocument, _ dialect: ChatDialect = .openAIChat, streamMatters: Bool = false
    ) -> CacheSubject {
        CacheSubject(
            organization: organization, kind: .chat, dialect: dialect,
            request: CanonicalRequest(document, streamMatters: streamMatters),
            fields: [.init("anthropic-beta", "a"), .init("X-Title", "b")], shaping: [.validates],
            models: ["openai/gpt-5@gpt-5", "azure/gpt-5@prod"], catalogueEpoch: 7)
    }

    private func document(_ text: String) throws -> JSONDocument {
        try JSONDocument(parsing: Array(text.utf8))
    }

    private func key(_ text: String, streamMatters: Bool = false) throws -> CacheKey {
        CacheKey(of: subject(try document(text), streamMatters: streamMatters))
    }

    @Test(arguments: RichRequests.all.map(\.dialect))
    func `whatever is changed in a request, but for how it is streamed, makes another`(dialect: ChatDialect)
        throws
    {
        let document = try RichRequests.document(dialect)
        let key = CacheKey(of: subject(document, dialect))
        var seen: [CacheKey: String] = [key: "the request"]
        let variants = try Mutation.variants(of: document)
        #expect(variants.count > 60)
        for variant in variants {
            let name = "\(variant.path.joined(separator: ".")) \(variant.what)"
            let other = CacheKey(of: subject(variant.document, dialect))
            if let top = variant.path.first, ["stream", "stream_options"].contains(top) {
                #expect(other == key, "\(name)")
            } else {
                // No two of the variants share an answer, either.
                #expect(seen[other] == nil, "\(name) is like \(seen[other] ?? "")")
                seen[other] = name
            }
        }
    }

    @Test(arguments: RichRequests.all.map(\.dialect))
    func `where a stream cannot be turned into a whole answer each has its own`(dialect: ChatDialect) throws {
        let document = try RichRequests.document(dialect)
        var keys: Set<CacheKey> = [CacheKey(of: subject(document, dialect, streamMatters: true))]
        let variants = try Mutation.variants(of: document)
        for variant in variants {
            keys.insert(CacheKey(of: subject(variant.document, dialect, streamMatters: true)))
        }
        #expect(keys.count == variants.count + 1)
    }

    @Test(arguments: RichRequests.all.map(\.dialect))
    func `a request that is written in another way is the same`(dialect: ChatDialect) throws {
        let seed = UInt64.random(in: 0 ... .max)
        let document = try RichRequests.document(dialect)
        let key = CacheKey(of: subject(document, dialect))
        var respelling = Respelling(seed: seed)
        for _ in 0..<200 {
            let other = try respelling.of(document)
            #expect(CacheKey(of: subject(other, dialect)) == key, "seed \(seed)")
        }
    }

    @Test func `numbers are compared by what they are, not by how near they are`() throws {
        let one = try key(#"{"a":1}"#)
        for same in ["1.0", "1e0", "10E-1", "0.1e+1", "1.000"] {
            #expect(try key("{\"a\":\(same)}") == one, "\(same)")
        }
        for other in ["1.0000000000000000000001", "\"1\"", "[1]", "true", "-1", "10"] {
            #expect(try key("{\"a\":\(other)}") != one, "\(other)")
        }
    }

    @Test func `what is null is not there, at the top and only there`() throws {
        #expect(try key(#"{"a":1,"b":null}"#) == key(#"{"a":1}"#))
        #expect(try key(#"{"a":{"b":null}}"#) != key(#"{"a":{}}"#))
        #expect(try key(#"{"stream":null}"#, streamMatters: true) == key("{}", streamMatters: true))
        #expect(try key(#"{"a":[null]}"#) != key(#"{"a":[]}"#))
    }

    @Test func `the order of what is said counts`() throws {
        #expect(try key(#"{"messages":["a","b"]}"#) != key(#"{"messages":["b","a"]}"#))
    }

    @Test func `only the stream's own fields at the top are without effect`() throws {
        #expect(
            try key(#"{"stream":true,"stream_options":{"include_usage":true},"a":1}"#) == key(#"{"a":1}"#))
        #expect(try key(#"{"\u0073tream":true}"#) == key("{}"))
        #expect(try key(#"{"a":{"stream":true}}"#) != key(#"{"a":{}}"#))
        #expect(try key(#"{"streams":true}"#) != key("{}"))
        #expect(try key(#"{"stream":true}"#, streamMatters: true) != key("{}", streamMatters: true))
        #expect(try key("{}", streamMatters: true) != key("{}"))
    }

    @Test func `two organizations never share an answer`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        var keys: Set<CacheKey> = []
        let document = try RichRequests.document(.openAIChat)
        for bit in 0..<128 {
            var subject = subject(document)
            subject.organization =
                bit < 64 ? UUID(high: 1 ^ 1 << bit, low: 2) : UUID(high: 1, low: 2 ^ 1 << (bit - 64))
            keys.insert(CacheKey(of: subject))
        }
        for _ in 0..<1000 {
            var subject = subject(document)
            subject.organization = UUID(high: random.next(), low: random.next())
            keys.insert(CacheKey(of: subject))
        }
        keys.insert(CacheKey(of: subject(document)))
        #expect(keys.count == 1129, "seed \(seed)")
    }

    /// One change for each stored property. A property without one fails the test below.
    private static let changes: [(property: String, change: @Sendable (inout CacheSubject) throws -> Void)] =
        [
            ("organization", { $0.organization = UUID(high: 1, low: 3) }),
            ("kind", { $0.kind = .embedding }),
            ("dialect", { $0.dialect = .anthropic }),
            (
                "request",
                {
                    $0.request = CanonicalRequest(
                        try JSONDocument(parsing: Array("{}".utf8)), streamMatters: false)
                }
            ),
            ("fields", { $0.fields[0].value = "c" }),
            ("shaping", { $0.shaping.insert(.repairs) }),
            ("models", { $0.models[1] = "azure/gpt-5@test" }),
            ("catalogueEpoch", { $0.catalogueEpoch += 1 }),
        ]

    @Test func `every property of a subject changes the key`() throws {
        let subject = subject(try RichRequests.document(.openAIChat))
        let properties = Mirror(reflecting: subject).children.compactMap(\.label)
        #expect(properties.sorted() == Self.changes.map(\.property).sorted())
        var keys: Set<CacheKey> = [CacheKey(of: subject)]
        for (property, change) in Self.changes {
            var other = subject
            try change(&other)
            #expect(keys.insert(CacheKey(of: other)).inserted, "\(property)")
        }
    }

    @Test func `kinds, dialects and what shapes an answer are all told apart`() throws {
        let original = subject(try RichRequests.document(.openAIChat))
        var keys: Set<CacheKey> = []
        for kind in CacheSubject.Kind.allCases {
            for dialect in ChatDialect.allCases {
                for shaping in UInt8(0)..<8 {
                    var subject = original
                    (subject.kind, subject.dialect) = (kind, dialect)
                    subject.shaping = CacheSubject.Shaping(rawValue: shaping)
                    keys.insert(CacheKey(of: subject))
                }
            }
        }
        #expect(keys.count == CacheSubject.Kind.allCases.count * ChatDialect.allCases.count * 8)
    }

    @Test func `models come in any order, and fields of the head in any case`() throws {
        let original = subject(try RichRequests.document(.openAIChat))
        var other = original
        other.models.reverse()
        other.fields = [.init("x-title", "b"), .init("Anthropic-Beta", "a")]
        #expect(CacheKey(of: other) == CacheKey(of: original))
        other.fields = [.init("x-title", "a"), .init("anthropic-beta", "b")]
        #expect(CacheKey(of: other) != CacheKey(of: original))
        // Of one name the order may mean something.
        var (first, second) = (original, original)
        first.fields = [.init("a", "1"), .init("a", "2")]
        second.fields = [.init("a", "2"), .init("a", "1")]
        #expect(CacheKey(of: first) != CacheKey(of: second))
    }

    @Test func `what ends in one place cannot go on in the next`() throws {
        let document = try document("{}")
        var keys: Set<CacheKey> = []
        let shapes: [(fields: [(String, String)], models: [String])] = [
            ([], []), ([("a", "b")], []), ([("ab", "")], []), ([("", "ab")], []),
            ([("a", ""), ("b", "")], []),
            ([], ["a", "b"]), ([], ["ab"]), ([], ["ab", ""]), ([], ["a", "", "b"]),
            ([("a", "b")], ["a", "b"]),
        ]
        for shape in shapes {
            var subject = subject(document)
            subject.fields = shape.fields.map { CacheSubject.Field($0.0, $0.1) }
            subject.models = shape.models
            keys.insert(CacheKey(of: subject))
        }
        #expect(keys.count == shapes.count)
    }

    @Test func `a key is the digest that it was`() throws {
        // Changes only together with the form's number in CacheKey: processes of two versions share one Redis.
        let key = CacheKey(
            of: subject(try document(#"{"model":"a","messages":[{"role":"user","content":"b"}]}"#)))
        #expect(String(hex: key.bytes) == "10b88e7c62100f3aa509a0e2284c432a3edea3040989b2f1ad7afdba1796efca")
    }
}
