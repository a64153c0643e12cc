import Base
import Catalog
import Chat
import Providers
import Testing

/// From what providers publish and count to what it costs, without a detour: the sums are made by hand.
struct GoldenPriceTests {
    /// In dollars, as they are published.
    private static func price(_ published: [PriceColumn: String], longAbove: Int? = nil) throws -> ModelPrice
    {
        var price = ModelPrice(from: Timestamp(microseconds: 0))
        price.longContext = longAbove.map { .init(above: $0, input: nil, output: nil) }
        for (column, dollars) in published {
            let amount: Int = try #require(Picodollars.read(dollars, perMillion: column.isPerToken))
            price[column] = amount
        }
        return price
    }

    private static let sonnet: [PriceColumn: String] = [
        .input: "3", .cacheRead: "0.30", .cacheWrite: "3.75", .cacheWriteLong: "6", .output: "15",
    ]

    @Test func `each dimension costs what is published for it`() throws {
        let cases: [(PriceColumn, String, Consumption, Int64)] = [
            (.input, "0.15", Consumption(ChatUsage(input: 1001)), 150_150),
            (.cacheRead, "0.0028", Consumption(ChatUsage(cacheRead: 1_000_000)), 2_800_000),
            (.cacheWrite, "3.75", Consumption(ChatUsage(cacheWrite: 12_304)), 46_140_000),
            (.cacheWriteLong, "6", Consumption(ChatUsage(cacheWriteHour: 12_304)), 73_824_000),
            (.output, "15", Consumption(ChatUsage(output: 550)), 8_250_000),
            (.reasoning, "3", Consumption(ChatUsage(reasoning: 777)), 2_331_000),
            (.audioInput, "32", Consumption(ChatUsage(audioInput: 600)), 19_200_000),
            (.audioOutput, "64", Consumption(ChatUsage(audioOutput: 1200)), 76_800_000),
            (.imageOutput, "40", Self.drawn(tokens: 4160), 166_400_000),
            (.image, "0.04", Consumption { $0.images = 3 }, 120_000_000),
            (.request, "0.005", Consumption(), 5_000_000),
            (.search, "0.01", Consumption { $0.searches = 2 }, 20_000_000),
            // What is less than half a billionth of a dollar is rounded once, at the end.
            (.second, "0.00007167", Consumption { $0.seconds = 61 }, 4_371_870),
            (.character, "0.000015", Consumption { $0.characters = 4096 }, 61_440_000),
        ]
        for (column, dollars, use, nanodollars) in cases {
            #expect(try Self.price([column: dollars]).cost(of: use) == nanodollars, "\(column)")
        }
        #expect(Set(cases.map(\.0)).union([.longInput, .longOutput]) == Set(PriceColumn.allCases))
    }

    private static func drawn(tokens: Int) -> Consumption {
        var usage = ChatUsage()
        usage.imageOutput = tokens
        return Consumption(usage) { $0.images = 1 }
    }

    @Test func `much input makes all of a call dearer, from the first token above the bound`() throws {
        var published = Self.sonnet
        (published[.longInput], published[.longOutput]) = ("6", "22.50")
        let price = try Self.price(published, longAbove: 200_000)
        #expect(price.cost(of: Consumption(ChatUsage(input: 200_000, output: 100))) == 601_500_000)
        #expect(price.cost(of: Consumption(ChatUsage(input: 200_001, output: 100))) == 1_202_256_000)
        // What is read from a cache, and kept in it, becomes dearer by as much.
        #expect(
            price.cost(of: Consumption(ChatUsage(input: 1, cacheRead: 200_000, cacheWrite: 1000)))
                == Int64(6000 + 120_000_000 + 7_500_000))
    }

    // MARK: As providers count

    @Test
    func `what OpenAI counts as the prompt has what was cached in it, and the completion has the thoughts`()
        throws
    {
        let body =
            #"{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"finish_reason":"stop","#
            + #""message":{"role":"assistant","content":"Bees."}}],"usage":{"prompt_tokens":12307,"#
            + #""completion_tokens":550,"total_tokens":12857,"prompt_tokens_details":{"cached_tokens":12304},"#
            + #""completion_tokens_details":{"reasoning_tokens":150}}}"#
        let usage = try #require(try OpenAIChatCodec(.openAI).decode(Array(body.utf8)).usage)
        #expect((usage.input, usage.cacheRead, usage.output, usage.reasoning) == (3, 12_304, 400, 150))
        // 3 at $3, 12,304 at $0.30, and 550 at $15 for a million: 9 + 3,691.2 + 8,250 micro-dollars.
        #expect(try Self.price(Self.sonnet).cost(of: Consumption(usage)) == 11_950_200)
    }

    @Test func `what Anthropic counts as input has nothing in it that was cached`() throws {
        func cost(_ usage: String) throws -> Int64? {
            let body =
                #"{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Bees."}],"#
                + #""stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":550,\#(usage)}}"#
            let read = try AnthropicCodec().decode(Array(body.utf8)).usage
            return try Self.price(Self.sonnet).cost(of: Consumption(try #require(read)))
        }
        // 9 + 46,140 + 8,250 micro-dollars.
        #expect(try cost(#""cache_creation_input_tokens":12304,"cache_read_input_tokens":0"#) == 54_399_000)
        // 9 + 3,691.2 + 8,250.
        #expect(try cost(#""cache_creation_input_tokens":0,"cache_read_input_tokens":12304"#) == 11_950_200)
        // Of it 304 for five minutes, and 12,000 for an hour: 9 + 1,140 + 72,000 + 8,250.
        #expect(
            try cost(
                #""cache_creation_input_tokens":12304,"cache_creation":{"ephemeral_5m_input_tokens":304,"#
                    + #""ephemeral_1h_input_tokens":12000}"#) == 81_399_000)
    }
}
