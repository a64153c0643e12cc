import JSON

/// LiteLLM's list: an object of models, each with its provider and what it costs in dollars for one.
enum LiteLLMPrices {
    /// Their names of providers, and ours.
    private static let providers = [
        "openai": "openai", "anthropic": "anthropic", "azure": "azure", "bedrock": "bedrock",
        "bedrock_converse": "bedrock", "cohere": "cohere", "cohere_chat": "cohere", "deepgram": "deepgram",
        "deepseek": "deepseek", "fireworks_ai": "fireworks", "fireworks_ai-embedding-models": "fireworks",
        "gemini": "gemini", "groq": "groq", "mistral": "mistral", "openrouter": "openrouter",
        "perplexity": "perplexity", "stability": "stability", "together_ai": "together", "voyage": "voyage",
        "xai": "xai",
    ]

    private static let fields: [(name: String, column: PriceColumn)] = [
        ("input_cost_per_token", .input), ("output_cost_per_token", .output),
        ("cache_read_input_token_cost", .cacheRead), ("cache_creation_input_token_cost", .cacheWrite),
        ("cache_creation_input_token_cost_above_1hr", .cacheWriteLong),
        ("output_cost_per_reasoning_token", .reasoning), ("input_cost_per_audio_token", .audioInput),
        ("output_cost_per_audio_token", .audioOutput), ("output_cost_per_image_token", .imageOutput),
        ("output_cost_per_image", .image), ("input_cost_per_request", .request),
        ("input_cost_per_query", .request), ("input_cost_per_second", .second),
        ("input_cost_per_character", .character),
    ]

    static func read(_ bytes: [UInt8]) throws(PriceFormat.Unreadable) -> [ListedPrice] {
        let root = try JSONDocument(list: bytes).root
        guard root.kind == .object else {
            throw PriceFormat.Unreadable(description: "it is no object of models")
        }
        return root.members.compactMap { member in
            // It explains the format.
            member.key == "sample_spec" ? nil : price(member.key.string, member.value)
        }
    }

    /// nil for models of providers that have no place in the catalogue.
    private static func price(_ name: String, _ value: JSONValue) -> ListedPrice? {
        guard let theirs = value["litellm_provider"]?.string, let provider = providers[theirs] else {
            return nil
        }
        let prefix = ["\(theirs)/", "\(provider)/"].first { name.hasPrefix($0) } ?? ""
        var price = ListedPrice(name, id: "\(provider)/\(name.dropFirst(prefix.count))")
        for (field, column) in fields { price.take(number(value.member(field), field, &price), as: column) }
        readLongContext(value, &price)
        readSearch(value, &price)
        readImages(isImageModel: value["mode"]?.string == "image_generation", &price)
        return price
    }

    private static func number(_ value: JSONValue?, _ field: String, _ price: inout ListedPrice) -> String? {
        guard let value, !value.isNull else { return nil }
        // 0 stands there for models that are not paid for in this way as well as for those that are free.
        if let number = value.number { return Picodollars.read(number) == 0 ? nil : number }
        price.faults.append("\(field) is no number")
        return nil
    }

    /// `input_cost_per_token_above_200k_tokens`: the number is in the name.
    private static func readLongContext(_ value: JSONValue, _ price: inout ListedPrice) {
        for (start, column) in [
            ("input_cost_per_token_above_", PriceColumn.longInput),
            ("output_cost_per_token_above_", .longOutput),
        ] {
            for member in value.members {
                let key = member.key.string
                guard key.hasPrefix(start), key.hasSuffix("k_tokens"),
                    let thousands = Int(key.dropFirst(start.count).dropLast("k_tokens".count)),
                    (1...1_000_000).contains(thousands)
                else { continue }
                guard price.longAbove == nil || price.longAbove == thousands * 1000 else {
                    price.faults.append("there are several prices for much input, and one can be kept")
                    return
                }
                price.longAbove = thousands * 1000
                price.take(number(member.value, key, &price), as: column)
            }
        }
    }

    /// An image is paid for once: where the tokens that it is made of have a price, the price for the whole says the same.
    /// Tokens of a model that draws, and says no more, are steps of drawing.
    private static func readImages(isImageModel: Bool, _ price: inout ListedPrice) {
        if price.amounts[.imageOutput] != nil {
            price.amounts[.image] = nil
        } else if isImageModel {
            price.amounts[.input] = nil
            price.amounts[.output] = nil
        }
    }

    /// A search has three prices, by how much of what it finds is read; the middle one is the usual one.
    private static func readSearch(_ value: JSONValue, _ price: inout ListedPrice) {
        guard let search = value["search_context_cost_per_query"], search.kind == .object else { return }
        price.take(
            number(search["search_context_size_medium"], "search_context_size_medium", &price), as: .search)
    }
}

extension JSONDocument {
    /// A list of prices.
    init(list bytes: [UInt8]) throws(PriceFormat.Unreadable) {
        do throws(JSONError) { self = try JSONDocument(parsing: bytes) } catch {
            throw PriceFormat.Unreadable(description: "it is not valid JSON: \(error)")
        }
    }
}
