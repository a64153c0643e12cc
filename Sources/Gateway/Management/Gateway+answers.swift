import Base
import Cache
import Identity
import JSON
import Redis

/// The handlers of `AnswerEndpoints`.
extension Gateway {
    func showCacheStatistics(_ call: APICall) async throws -> Reply {
        let days: [(day: CacheDay, counts: CacheCounts)]
        do throws(RedisError) {
            days = try await answers.counts(
                of: call.principal.organization, days: call.query.integer("days"), at: time.timestamp())
        } catch {
            throw Problem.answersAreAway(error)
        }
        var total = CacheCounts()
        for day in days { total += day.counts }
        return .json { json in
            json.array("days") { json in
                for (day, counts) in days {
                    json.object { json in
                        json.field("day", day.isoText)
                        json.fields(of: counts)
                    }
                }
            }
            json.object("total") { json in json.fields(of: total) }
        }
    }

    func deleteAnswers(_ call: APICall) async throws -> Reply {
        let organization = call.principal.organization
        let (key, model) = (call.query.optionalString("key"), call.query.optionalString("model"))
        if key != nil, model != nil {
            throw Problem(
                .unprocessable, code: "ambiguous_purge",
                "key and model cannot be given together: send one of them, or neither for all answers.",
                field: "model")
        }
        let purge: CacheStore.Purge =
            key.flatMap(CacheKey.init(text:)).map { .key($0) } ?? model.map { .model($0) } ?? .all
        let count: Int
        do throws(RedisError) { count = try await answers.purge(purge, of: organization) } catch {
            throw Problem.answersAreAway(error)
        }
        var deed = JSONWriter(capacity: 96)
        deed.object { json in
            if let key { json.field("key", key) }
            if let model { json.field("model", model) }
            json.field("deleted", count)
        }
        try await identity.store.notePurge(of: organization, deed.bytes, by: call.actor)
        return .json { json in json.field("deleted", count) }
    }
}

extension Problem {
    /// What is done halfway is done by the next one who asks for it.
    fileprivate static func answersAreAway(_ error: RedisError) -> Problem {
        Problem(
            .unavailable, code: "cache_unavailable",
            "The answers that are kept cannot be reached at the moment. Try again shortly.",
            retryAfterSeconds: 2, detail: "\(error)")
    }
}

extension JSONWriter {
    fileprivate mutating func fields(of counts: CacheCounts) {
        field("hits", counts.hits)
        field("misses", counts.misses)
        field("coalesced", counts.coalesced)
        field("semantic", counts.semanticHits)
        field("stored", counts.stored)
        field("corrupted", counts.corrupted)
        key("hit_rate")
        if counts.lookUpCount > 0 {
            // To four places.
            let rate = Double(counts.servedCount) / Double(counts.lookUpCount)
            value((rate * 10_000).rounded() / 10_000)
        } else {
            null()
        }
        field("tokens_saved", counts.tokensSaved)
        object("saved") { json in
            json.field("nano", String(counts.nanodollarsSaved))
            json.field(
                "usd", String(decoding: DollarText.bytes(counts.nanodollarsSaved, places: 9), as: UTF8.self))
        }
    }
}
