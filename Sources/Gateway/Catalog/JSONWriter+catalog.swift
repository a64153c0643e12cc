import Base
import Catalog
import JSON
import Providers

/// What the catalogue's routes answer with, as `Schema` describes it.
extension JSONWriter {
    mutating func fields(of model: CatalogModel, isAvailable: Bool, at now: Timestamp) {
        field("id", model.id)
        field("object", "model")
        field("provider", model.provider)
        field("upstream_name", model.upstreamName)
        field("slug", model.slug)
        field("family", model.family)
        field("title", model.title)
        field("mode", model.mode.rawValue)
        array("aliases", model.aliases)
        field("is_available", isAvailable)
        field("context_tokens", model.contextTokens)
        field("max_output_tokens", model.maxOutputTokens)
        array("input_modalities", model.inputModalities.map(\.rawValue))
        array("output_modalities", model.outputModalities.map(\.rawValue))
        array("capabilities", model.capabilities.map(\.rawValue))
        array("regions", model.regions)
        field("may_be_retained", model.mayBeRetained)
        field("released_on", model.releasedOn?.day)
        field("deprecated_on", model.deprecatedOn?.day)
        field("shutdown_on", model.shutdownOn?.day)
        field("replacement", model.replacement)
        field("source", model.source)
        field("verified_on", model.verifiedOn.day)
        price(model.price(at: now))
    }

    /// null where it is not known.
    mutating func price(_ price: ModelPrice?) {
        key("price")
        if let price { object { $0.fields(of: price) } } else { null() }
    }

    mutating func fields(of price: ModelPrice) {
        amounts(of: price)
        field("effective_from", price.from.description)
        field("effective_to", price.until?.description)
        field("source", price.source)
    }

    /// What is asked, whenever it is.
    mutating func amounts(of price: ModelPrice) {
        field("currency", "USD")
        object("per_million_tokens") { json in
            json.dollars("input", price.input, places: 6)
            json.dollars("output", price.output, places: 6)
            json.dollars("cache_read", ifKnown: price.cacheRead, places: 6)
            json.dollars("cache_write", ifKnown: price.cacheWrite, places: 6)
            json.dollars("cache_write_long", ifKnown: price.cacheWriteLong, places: 6)
            json.dollars("reasoning", ifKnown: price.reasoning, places: 6)
            json.dollars("audio_input", ifKnown: price.audioInput, places: 6)
            json.dollars("audio_output", ifKnown: price.audioOutput, places: 6)
            json.dollars("image_output", ifKnown: price.imageOutput, places: 6)
        }
        object("per_unit") { json in
            json.dollars("image", ifKnown: price.image, places: 12)
            json.dollars("request", ifKnown: price.request, places: 12)
            json.dollars("search", ifKnown: price.search, places: 12)
            json.dollars("second", ifKnown: price.second, places: 12)
            json.dollars("character", ifKnown: price.character, places: 12)
        }
        key("long_context")
        if let long = price.longContext {
            object { json in
                json.field("above_tokens", long.above)
                json.dollars("input", long.input, places: 6)
                json.dollars("output", long.output, places: 6)
            }
        } else {
            null()
        }
    }

    private mutating func dollars(_ name: StaticString, _ amount: Int?, places: Int) {
        key(name)
        if let amount { raw(DollarText.bytes(amount, places: places)) } else { null() }
    }

    private mutating func dollars(_ name: StaticString, ifKnown amount: Int?, places: Int) {
        if amount != nil { dollars(name, amount, places: places) }
    }

    mutating func fields(of facets: CatalogPage.Facets) {
        array("providers", facets.providers)
        array("modes", facets.modes)
        array("modalities", facets.modalities)
        array("capabilities", facets.capabilities)
    }

    private mutating func array(_ name: StaticString, _ facets: [CatalogPage.Facet]) {
        array(name) { json in
            for facet in facets {
                json.object { json in
                    json.field("value", facet.value)
                    json.field("count", facet.count)
                }
            }
        }
    }

    /// Without the last fault: what a provider says may name its customer's account.
    mutating func fields(of health: Upstream.Health, at now: Instant) {
        switch health.breaker {
        case .closed:
            field("state", "closed")
            null("retry_in_seconds")
        case .open(let until):
            field("state", "open")
            field("retry_in_seconds", Double(max(0, (until - now).nanoseconds / 1_000_000)) / 1000)
        case .probing:
            field("state", "probing")
            null("retry_in_seconds")
        }
        field("keys", health.keys)
        field("ready_keys", health.readyKeys)
        field("under_way", health.underWay)
        field("limit", health.limit)
        field("latency_seconds", health.latency)
        field("succeeded", health.succeeded)
        field("failed", health.failed)
    }
}

extension Timestamp {
    /// `2026-11-21`
    var day: String { String(description.prefix(10)) }
}
