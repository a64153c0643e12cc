import Base
import Catalog
import Chat
import JSON

/// What so much of a model costs at a provider: the least and the most, and how it was reckoned.
struct PriceEstimate {
    let model: CatalogModel
    let price: PriceInForce
    /// In nano-dollars.
    let least: Int64
    let most: Int64
    /// What the least is for.
    let use: Consumption

    // MARK: What is asked

    static let mostCount = 1_000_000_000_000
    static let count = Schema.integer(0...mostCount)

    /// What can be counted, by its name in a request.
    struct Count: Sendable {
        let name: String
        let description: String
        /// nil: it is no token.
        var kind: TokenKind?
        let take: @Sendable (Int, inout Consumption) -> Void
    }

    static let counts: [Count] =
        TokenKind.allCases.map { kind in
            Count(name: "\(kind.rawValue)_tokens", description: "Tokens of this kind.", kind: kind) {
                kind.set($0, in: &$1.tokens)
            }
        } + [
            Count(name: "images", description: "Images made.") { $1.images = $0 },
            Count(name: "searches", description: "Searches of the web.") { $1.searches = $0 },
            Count(name: "seconds", description: "Of sound.") { $1.seconds = $0 },
            Count(name: "characters", description: "Spoken.") { $1.characters = $0 },
        ]

    // MARK: What is answered

    private static let part = Schema.object([
        Field("kind", .string(1...64), "Of what."), Field("count", .integer(0...Int.max), "How many."),
        Field(
            "rate", .number(0...1e13),
            "In dollars: for a million where it is a kind of token, and otherwise for one."),
        Field("formula", .string(1...200), "The product, in dollars, not rounded."),
    ]).named("EstimatePart")

    private static let bounds = [
        Field("minimum", .money, "It costs no less; messages cost about so much at least."),
        Field("maximum", .money, "It costs no more."),
    ]

    private static let offer = Schema.object(
        [Field("model", .string(1...300), "The model's id.")] + bounds + [
            Field("price", .modelPrice, "The price by which that is so."),
            Field(
                "override_id", .uuid, isNullable: true,
                "The organization's own price that lies over the list's; null: there is none."),
            Field(
                "parts", .array(of: part),
                "What the minimum is the sum of, which is rounded once to a billionth of a dollar."),
        ]
    ).named("EstimateOffer")

    static let schema = Schema.object(
        bounds + [
            Field(
                "offers", .array(of: offer, 1...1000),
                "Of each who has a model of this name and a price for what is asked; of those that can be asked here "
                    + "where any can.")
        ]
    ).named("PriceEstimate")

    /// Kinds of tokens and then the rest, where something is asked for them.
    private var parts: [(kind: String, count: Int, rate: Int, isPerToken: Bool)] {
        let price = price.price
        let isLong = price.longContext.map { use.tokens.totalInput > $0.above } ?? false
        // An image is paid for once.
        let isDrawnByTokens =
            use.images == 0 || use.tokens.imageOutput > 0 && price.rate(of: .imageOutput) != nil
        let tokens = TokenKind.allCases.filter { $0 != .imageOutput || isDrawnByTokens }.map { kind in
            (kind.rawValue, kind.count(in: use.tokens), price.rate(of: kind, isLong: isLong), true)
        }
        let others = [
            ("request", use.requests, price.request, false),
            ("image", isDrawnByTokens ? 0 : use.images, price.image, false),
            ("search", use.searches, price.search, false), ("second", use.seconds, price.second, false),
            ("character", use.characters, price.character, false),
        ]
        return (tokens + others).compactMap { kind, count, rate, isPerToken in
            rate.flatMap { count > 0 ? (kind, count, $0, isPerToken) : nil }
        }
    }

    func write(to json: inout JSONWriter) {
        json.field("model", model.id)
        json.money("minimum", least)
        json.money("maximum", most)
        json.price(price.price)
        json.field("override_id", price.price.override?.description)
        json.array("parts") { json in
            for part in parts {
                let rate = Picodollars.text(part.rate, perMillion: part.isPerToken)
                json.object { json in
                    json.field("kind", part.kind)
                    json.field("count", part.count)
                    json.key("rate")
                    json.raw(DollarText.bytes(part.rate, places: part.isPerToken ? 6 : 12))
                    json.field(
                        "formula", "\(part.count) x \(rate)\(part.isPerToken ? " / 1,000,000" : "")")
                }
            }
        }
    }
}
