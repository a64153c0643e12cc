import Base
import JSON
import Testing

/// What a call would cost.
struct PriceEstimateTests {
    private static let path = "/api/v1/pricing/estimate"

    private static func run(
        _ body: @escaping @Sendable (ManagementWorld, ManagementWorld.Person) async throws -> Void
    ) async throws {
        try await ManagementWorld.run { world in try await body(world, try await world.newOperator()) }
    }

    @Test func `what is counted costs exactly that, with the price and the product for each kind`()
        async throws
    {
        try await Self.run { world, ann in
            let query =
                "model=anthropic/claude-sonnet-4-6&input_tokens=3&cache_write_tokens=12304&output_tokens=550"
            for path in [Self.path, "/api/pricing/estimate"] {
                let answer = try await world.send("GET", "\(path)?\(query)", as: ann)
                try #require(answer.status == 200, "\(answer.text)")
                let offer = answer.json?["offers"]?.element(0)
                for bound in [answer.json?["minimum"], answer.json?["maximum"], offer?["minimum"]] {
                    #expect(bound?["nano"]?.string == "54399000" && bound?["usd"]?.string == "0.054399")
                }
                #expect(
                    offer?["price"]?["effective_from"]?.string == "2026-08-01T00:00:00.000Z",
                    "\(answer.text)")
                #expect(
                    offer?["parts"]?.elements.compactMap { $0["formula"]?.string } == [
                        "3 x 3 / 1,000,000", "12304 x 3.75 / 1,000,000", "550 x 15 / 1,000,000",
                    ])
            }
            let sent = try await world.send(
                "POST", Self.path, as: ann,
                #"{"model":"anthropic/claude-sonnet-4-6","input_tokens":3,"cache_write_tokens":12304,"output_tokens":550}"#
            )
            #expect(sent.json?["minimum"]?["nano"]?.string == "54399000")
        }
    }

    @Test func `without a count of the answer it lies between none and the longest`() async throws {
        try await Self.run { world, ann in
            let answer = try await world.send(
                "GET", "\(Self.path)?model=openai/gpt-4o-mini&input_tokens=1000", as: ann)
            // The longest answer has 16,384 tokens.
            #expect(answer.json?["minimum"]?["nano"]?.string == "150000", "\(answer.text)")
            #expect(answer.json?["maximum"]?["nano"]?.string == String(150_000 + 16_384 * 600))
            let unread = try await world.send("GET", "\(Self.path)?model=openai/gpt-4o-mini", as: ann)
            #expect(unread.json?["minimum"]?["nano"]?.string == "0", "\(unread.text)")
            #expect(unread.json?["maximum"]?["nano"]?.string == String(16_384 * 600))
        }
    }

    @Test func `a name that several providers serve costs between the least and the most of them`()
        async throws
    {
        try await Self.run { world, ann in
            let answer = try await world.send(
                "GET", "\(Self.path)?model=gpt-4o-mini&input_tokens=1000&output_tokens=0", as: ann)
            let offers = answer.json?["offers"]?.elements.map { offer in
                "\(offer["model"]?.string ?? "") \(offer["maximum"]?["nano"]?.string ?? "")"
            }
            #expect(offers == ["azure/gpt-4o-mini 165000", "openai/gpt-4o-mini 150000"], "\(answer.text)")
            #expect(answer.json?["minimum"]?["nano"]?.string == "150000")
            #expect(answer.json?["maximum"]?["nano"]?.string == "165000")
        }
    }

    @Test func `messages cost no more than a call of them would hold, and about what they say at least`()
        async throws
    {
        try await Self.run { world, ann in
            let word = String(repeating: "honey bees ", count: 100)
            func estimate(_ more: String) async throws -> (least: Int, most: Int) {
                let answer = try await world.send(
                    "POST", Self.path, as: ann,
                    #"{"model":"openai/gpt-4o-mini","messages":[{"role":"user","content":"\#(word)"}]\#(more)}"#
                )
                try #require(answer.status == 200, "\(answer.text)")
                func nano(_ name: StaticString) -> Int {
                    answer.json?[name]?["nano"]?.string.flatMap { Int($0) } ?? -1
                }
                return (nano("minimum"), nano("maximum"))
            }
            let short = try await estimate(#","max_tokens":10"#)
            // About two hundred tokens that may be kept already, at half the price.
            #expect((12_000...20_000).contains(short.least), "\(short)")
            #expect(short.most > short.least + 10 * 600)
            let twice = try await estimate(#","max_tokens":10,"n":2"#)
            // The request itself is a few bytes longer.
            #expect((6000...7000).contains(twice.most - short.most) && twice.least == short.least)
            let open = try await estimate("")
            #expect(abs(open.most - short.most - (16_384 - 10) * 600) < 3000)
        }
    }

    @Test func `an organization's own price counts, and what has no price has no estimate`() async throws {
        try await Self.run { world, ann in
            let set = try await world.send(
                "PUT", "/api/v1/admin/organizations/\(ann.organization)/price-overrides/openai/gpt-4o-mini",
                as: ann, #"{"per_million_tokens":{"input":1}}"#)
            try #require(set.status == 200)
            let key = try await world.newKey(of: ann, #"{"name":"k","scopes":["read"]}"#)
            for credential in [ManagementWorld.Credential.bearer(ann.token), .bearer(key)] {
                let answer = try await world.send(
                    "GET", "\(Self.path)?model=openai/gpt-4o-mini&input_tokens=1000&output_tokens=0",
                    as: credential)
                #expect(answer.json?["maximum"]?["nano"]?.string == "1000000", "\(answer.text)")
                #expect(answer.json?["offers"]?.element(0)?["override_id"]?.string == set.json?["id"]?.string)
            }
            let unpriced = try await world.send(
                "GET", "\(Self.path)?model=openai/gpt-4o-mini&audio_input_tokens=1", as: ann)
            #expect(unpriced.status == 422 && unpriced.code == "model_unpriced", "\(unpriced.text)")
        }
    }

    @Test func `what is wrong with a question is said`() async throws {
        try await Self.run { world, ann in
            #expect(try await world.send("GET", Self.path, as: ann).status == 422)
            #expect(
                try await world.send("GET", "\(Self.path)?model=nope&input_tokens=1", as: ann).status == 404)
            let both = try await world.send(
                "POST", Self.path, as: ann,
                #"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}],"input_tokens":1}"#)
            #expect(both.status == 422 && both.text.contains("input_tokens"), "\(both.text)")
            let faulty = try await world.send(
                "POST", Self.path, as: ann, #"{"model":"gpt-4o-mini","messages":[{"role":"king"}]}"#)
            #expect(faulty.status == 422 && faulty.code == "invalid_messages", "\(faulty.text)")
        }
    }
}
