import Base
import Catalog
import Identity
import JSON

/// The handlers of `OverrideEndpoints`.
extension Gateway {
    func listOverrides(_ call: APICall) async throws -> Reply {
        let limit = call.query.integer("limit")
        let organization = call.id("organization_id")
        // So that one that is not there is not found.
        _ = try await identity.store.limits(ofAny: organization)
        let found = try await identity.store.readInstance { transaction in
            try await CatalogStore.overrides(
                of: organization, endedToo: call.query.bool("include_ended"), at: call.now,
                after: call.query.optionalID("after"), limit: limit, transaction)
        }
        return .json { json in
            json.list(found, hasMore: found.count == limit) { json, one in json.fields(of: one) }
        }
    }

    func setOverride(_ call: APICall) async throws -> Reply {
        let override = PriceOverride(
            id: makeID(at: call.now), organization: call.id("organization_id"), model: call.text("model_id"),
            price: try ModelPrice(
                call.fields, until: call.fields.optionalTimestamp("effective_to"), at: call.now))
        var json = JSONWriter()
        json.object { $0.fields(of: override) }
        do {
            await identity.announce(
                try await identity.store.changeTerms(
                    ofAny: override.organization, "price_override.set",
                    after: String(decoding: json.bytes, as: UTF8.self), by: call.actor
                ) { try await CatalogStore.enter(override, $0) })
        } catch let fault as PriceOverride.Fault {
            throw Problem(fault)
        }
        return .json { json in json.fields(of: override) }
    }

    func endOverride(_ call: APICall) async throws -> Reply {
        let (organization, model) = (call.id("organization_id"), call.text("model_id"))
        var json = JSONWriter()
        json.object { $0.field("model", model) }
        await identity.announce(
            try await identity.store.changeTerms(
                ofAny: organization, "price_override.end", after: String(decoding: json.bytes, as: UTF8.self),
                by: call.actor
            ) { transaction in
                guard
                    try await CatalogStore.endOverrides(
                        of: organization, for: model, at: call.now, transaction)
                else { throw Problem.notFound("price of the organization's") }
            })
        return .empty()
    }
}

extension Problem {
    fileprivate init(_ fault: PriceOverride.Fault) {
        switch fault {
        case .noModel: self = .notFound("model")
        case .overlaps:
            self.init(
                .conflict, code: "price_overlaps",
                "The organization has a price for this model that begins before this one would have ended. Name an "
                    + "effective_to before it, or end it first.",
                field: "effective_from")
        case .tooMany:
            self.init(
                .conflict, code: "too_many_prices",
                "An organization has at most 1,000 prices of its own at once. End some first.")
        }
    }
}

extension JSONWriter {
    fileprivate mutating func fields(of override: PriceOverride) {
        field("id", override.id.description)
        field("organization_id", override.organization.description)
        field("model", override.model)
        amounts(of: override.price)
        field("effective_from", override.price.from.description)
        field("effective_to", override.price.until?.description)
    }
}
