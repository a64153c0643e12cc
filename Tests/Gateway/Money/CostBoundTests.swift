import Base
import Catalog
import Chat
import Providers
import Testing

@testable import Gateway

/// The most that a call may cost, and the longest answer that money is there for.
struct CostBoundTests {
    /// Dollars for a million tokens.
    private static func candidate(
        _ input: Int?, _ output: Int?, context: Int? = nil, mostOutput: Int? = nil,
        _ change: (inout ModelPrice) -> Void = { _ in }
    ) -> Candidate {
        let settings = Upstream.Settings(
            name: "acme", chat: OpenAIChatCodec(), baseURL: "http://127.0.0.1:1", keys: [Secret("k")])
        let price = ModelPrice(
            from: Timestamp(microseconds: 0), input: input.map { $0 * 1_000_000 },
            output: output.map { $0 * 1_000_000 }, change)
        return Candidate(
            id: "acme/m", place: .upstream(Upstream(settings)),
            target: ChatTarget(model: "m", maximumOutput: mostOutput),
            facts: Candidate.Facts(price: PriceInForce(price), contextTokens: context))
    }

    private static func extent(
        text: Int = 1000, media: [ChatMedia] = [], wanted: Int? = nil, choices: Int = 1, rounds: Int = 1,
        of candidate: Candidate
    ) -> (Candidate, CallExtent) {
        let bounds = AnswerBounds(maximumTokens: wanted, choiceCount: choices)
        return (candidate, CallExtent(bounds, text: text, media: media, rounds: rounds, of: candidate))
    }

    @Test
    func `a call costs no more than all that it reads and the longest answers, at the dearest candidate`()
        throws
    {
        let (cheap, dear) = (Self.candidate(1, 2), Self.candidate(3, 15))
        let one = try #require(CostBound([Self.extent(wanted: 100, of: cheap)]))
        #expect(one.nanodollars == 1_200_000 && one.answer == nil)
        let both = try #require(
            CostBound([Self.extent(wanted: 100, of: cheap), Self.extent(wanted: 100, of: dear)]))
        #expect(both.nanodollars == 4_500_000)
        let several = try #require(CostBound([Self.extent(wanted: 100, choices: 3, of: cheap)]))
        #expect(several.nanodollars == 1_600_000)
    }

    @Test func `who is asked once more reads the first answer and what it is to be like, too`() throws {
        let candidate = Self.candidate(1, 2)
        let bound = try #require(CostBound([Self.extent(wanted: 100, rounds: 2, of: candidate)]))
        // 1000 and 100; then twice 1000, 100 and the faults, and 100.
        #expect(bound.nanodollars == Int64(1_200_000 + 2_100_000 + 8_192_000 + 200_000))
    }

    @Test func `an answer whose length nobody knows is limited, and one that the model limits is not`() throws
    {
        let (known, unknown) = (Self.candidate(1, 2, mostOutput: 8000), Self.candidate(1, 2))
        let bounded = try #require(CostBound([Self.extent(of: known)]))
        #expect(bounded.nanodollars == 17_000_000 && bounded.answer == nil)
        let open = try #require(CostBound([Self.extent(of: unknown)]))
        #expect(open.nanodollars == Int64(1_000_000 + 4096 * 2000) && open.answer == 4096)
        let both = try #require(CostBound([Self.extent(of: known), Self.extent(of: unknown)]))
        #expect(both.answer == 4096)
    }

    @Test func `who has no price for what is asked is not reckoned with`() throws {
        #expect(CostBound([Self.extent(wanted: 1, of: Self.candidate(nil, 2))]) == nil)
        let sound = ChatMedia(.audio, .base64("AAAA"))
        let (deaf, hearing) = (Self.candidate(1, 2), Self.candidate(1, 2) { $0.audioInput = 10_000_000 })
        #expect(CostBound([Self.extent(media: [sound], wanted: 1, of: deaf)]) == nil)
        let bound = try #require(
            CostBound([deaf, hearing].map { Self.extent(media: [sound], wanted: 1, of: $0) }))
        #expect(bound.nanodollars == Int64(1_000_000 + 3000 * 10_000 + 2000))
        let sandbox = Candidate(id: "sandbox/echo", place: .sandbox(.echo), target: ChatTarget(model: "echo"))
        #expect(try #require(CostBound([Self.extent(of: sandbox)])).nanodollars == 0)
    }

    @Test func `what nobody can count beforehand is as much as the model can read`() throws {
        let candidate = Self.candidate(1, 2, context: 200_000)
        func input(_ media: [ChatMedia], isSelfContained: Bool = true) throws -> Int64 {
            let bound = CostBound(
                [Self.extent(media: media, wanted: 0, of: candidate)], isSelfContained: isSelfContained)
            return try #require(bound).nanodollars / 1000
        }
        #expect(try input([]) == 1000)
        #expect(try input([ChatMedia(.image, .url("https://example.org/a.png"))]) == 4000)
        #expect(try input([ChatMedia(.file, .url("https://example.org/a.pdf"))]) == 201_000)
        let file = ChatMedia(.file, .base64(String(repeating: "A", count: 10_000)))
        #expect(try input([file]) == 21_000)
        #expect(try input(Array(repeating: file, count: 50)) == 201_000)
        #expect(try input([ChatMedia(.file, .text("all of it is in the request"))]) == 1000)
        #expect(try input([], isSelfContained: false) == 200_000)
    }

    @Test func `what is kept for long counts where the request may say so`() throws {
        let candidate = Self.candidate(1, 2) { ($0.cacheWrite, $0.cacheWriteLong) = (1_250_000, 2_000_000) }
        let extent = Self.extent(wanted: 0, of: candidate)
        #expect(try #require(CostBound([extent])).nanodollars == 1_250_000)
        #expect(try #require(CostBound([extent], mayKeepLong: true)).nanodollars == 2_000_000)
    }

    @Test func `the longest answer that money is there for is exactly that, and never tiny`() throws {
        let bound = try #require(CostBound([Self.extent(wanted: 10_000, of: Self.candidate(1, 2))]))
        #expect(bound.nanodollars == 21_000_000)
        #expect(bound.largestAnswer(within: 21_000_000) == 10_000)
        #expect(bound.largestAnswer(within: .max) == 10_000)
        #expect(bound.largestAnswer(within: 20_999_999) == 9999)
        #expect(bound.largestAnswer(within: 1_512_000) == 256)
        #expect(bound.largestAnswer(within: 1_511_999) == nil)
        #expect(bound.largestAnswer(within: 0) == nil)
        let short = try #require(CostBound([Self.extent(wanted: 100, of: Self.candidate(1, 2))]))
        #expect(short.largestAnswer(within: .max) == nil)
    }

    @Test func `the longest answer is one that each candidate can give and is paid for`() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
        for round in 0..<300 {
            let extents = (0...below(3)).map { _ in
                Self.extent(
                    text: below(5000), choices: 1 + below(3), rounds: 1 + below(2),
                    of: Self.candidate(
                        below(20), below(80), mostOutput: below(3) == 0 ? nil : 300 + below(9000)
                    ) {
                        if below(2) == 0 {
                            $0.longContext = ModelPrice.LongContext(
                                above: 1 + below(6000), input: below(40_000_000), output: below(160_000_000))
                        }
                    })
            }
            let bound = try #require(CostBound(extents))
            let affordable = Int64(below(Int(bound.nanodollars) + 1))
            guard let answer = bound.largestAnswer(within: affordable) else { continue }
            func cost(_ answer: Int) throws -> Int64 {
                let limited = extents.map { candidate, extent in
                    var extent = extent
                    extent.wanted = answer
                    return (candidate, extent)
                }
                return try #require(CostBound(limited)).nanodollars
            }
            #expect(answer >= 256 && extents.allSatisfy { answer <= $0.1.answer }, "seed \(seed) \(round)")
            #expect(try cost(answer) <= affordable, "seed \(seed), round \(round)")
            if extents.allSatisfy({ answer < $0.1.answer }) {
                #expect(try cost(answer + 1) > affordable, "seed \(seed), round \(round)")
            }
        }
    }

    @Test func `vectors and images have their bounds, too`() {
        let (cheap, dear) = (Self.candidate(1, nil), Self.candidate(2, nil))
        #expect(CostBound.most(ofInput: { _ in 10 }, [cheap, dear, Self.candidate(nil, nil)]) == 20_000)
        #expect(CostBound.most(ofInput: { _ in 10 }, [Self.candidate(nil, nil)]) == nil)
        let drawing = Self.candidate(nil, nil) { ($0.image, $0.request) = (40_000_000_000, 1_000_000) }
        #expect(CostBound.most(ofImages: 3, input: { _ in 10 }, [drawing]) == Int64(120_000_000 + 3000))
        #expect(CostBound.most(ofImages: 3, input: { _ in 10 }, [cheap]) == nil)
    }
}
