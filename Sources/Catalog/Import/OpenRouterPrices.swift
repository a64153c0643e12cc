import JSON

/// OpenRouter's list of models: what each costs there, in dollars for one, written as text.
enum OpenRouterPrices {
    /// Makers who sell their models themselves, and whose price OpenRouter passes on: their name there, and ours.
    private static let makers = [
        "openai": "openai", "anthropic": "anthropic", "google": "gemini", "x-ai": "xai", "cohere": "cohere",
        "perplexity": "perplexity",
    ]

    private static let fields: [(name: String, column: PriceColumn)] = [
        ("prompt", .input), ("completion", .output), ("request", .request),
        ("web_search", .search), ("internal_reasoning", .reasoning), ("input_cache_read", .cacheRead),
        ("input_cache_write", .cacheWrite), ("audio", .audioInput),
    ]

    static func read(_ bytes: [UInt8]) throws(PriceFormat.Unreadable) -> [ListedPrice] {
        guard let data = try JSONDocument(list: bytes)["data"], data.kind == .array else {
            throw PriceFormat.Unreadable(description: "it has no list \"data\"")
        }
        return data.elements.compactMap(price)
    }

    private static func price(_ value: JSONValue) -> ListedPrice? {
        guard let name = value["id"]?.string, let pricing = value["pricing"], pricing.kind == .object else {
            return nil
        }
        // What depends on the model that is chosen in the end has no price of its own.
        if pricing["prompt"]?.string == "-1" { return nil }
        var price = ListedPrice(name, id: "openrouter/\(name)")
        let parts = name.split(separator: "/", maxSplits: 1)
        // Behind a colon is a variant, which costs something else.
        if parts.count == 2, !name.contains(":"), let maker = makers[String(parts[0])] {
            price.makersName = "\(maker)/\(parts[1])"
        }
        for (field, column) in fields { take(pricing.member(field), field, as: column, &price) }
        readLongContext(pricing["overrides"], &price)
        return price
    }

    private static func take(
        _ value: JSONValue?, _ field: String, as column: PriceColumn, _ price: inout ListedPrice
    ) {
        guard let value, !value.isNull else { return }
        guard let text = value.string ?? value.number else {
            price.faults.append("\(field) is no price")
            return
        }
        // They write 0 where there is nothing to pay apart, which is not a price of 0.
        if column != .input, column != .output, Picodollars.read(text) == 0 { return }
        price.take(text, as: column)
    }

    private static func readLongContext(_ overrides: JSONValue?, _ price: inout ListedPrice) {
        guard let overrides, overrides.kind == .array else { return }
        let long = overrides.elements.filter { $0["min_prompt_tokens"]?.int ?? 0 > 0 }
        guard let first = long.first else { return }
        guard long.count == 1 else {
            price.faults.append("there are several prices for much input, and one can be kept")
            return
        }
        price.longAbove = first["min_prompt_tokens"]?.int
        take(first["prompt"], "overrides.prompt", as: .longInput, &price)
        take(first["completion"], "overrides.completion", as: .longOutput, &price)
    }
}
