package import Base

/// What the cache did for an organization. Who looked for an answer is in one of the first four.
package struct CacheCounts: Equatable, Sendable {
    package var hits = 0
    package var misses = 0
    /// Answered with what was being said to somebody else.
    package var coalesced = 0
    /// Answered with what was said to a similar question.
    package var semanticHits = 0
    package var stored = 0
    /// Found, and no answer.
    package var corrupted = 0
    package var tokensSaved = 0
    package var nanodollarsSaved = 0

    package init() {}

    /// Those that looked for an answer: each ends in one of these.
    package var lookUpCount: Int { servedCount + misses }
    /// Those that were answered without a provider.
    package var servedCount: Int { hits + coalesced + semanticHits }

    package static func += (counts: inout CacheCounts, more: CacheCounts) {
        counts.hits = sum(counts.hits, more.hits)
        counts.misses = sum(counts.misses, more.misses)
        counts.coalesced = sum(counts.coalesced, more.coalesced)
        counts.semanticHits = sum(counts.semanticHits, more.semanticHits)
        counts.stored = sum(counts.stored, more.stored)
        counts.corrupted = sum(counts.corrupted, more.corrupted)
        counts.tokensSaved = sum(counts.tokensSaved, more.tokensSaved)
        counts.nanodollarsSaved = sum(counts.nanodollarsSaved, more.nanodollarsSaved)
    }

    private static func sum(_ one: Int, _ other: Int) -> Int {
        let (sum, isTooLarge) = one.addingReportingOverflow(other)
        return isTooLarge ? .max : sum
    }

    /// The names in Redis.
    static let fields: [(name: String, property: any WritableKeyPath<CacheCounts, Int> & Sendable)] = [
        ("hits", \.hits), ("misses", \.misses), ("coalesced", \.coalesced), ("semantic", \.semanticHits),
        ("stored", \.stored), ("corrupted", \.corrupted), ("tokens", \.tokensSaved),
        ("nanodollars", \.nanodollarsSaved),
    ]
}

/// A day of UTC: `20260131`.
package struct CacheDay: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Days since 1970.
    package let number: Int

    package init(_ time: Timestamp) {
        let seconds = Int(time.seconds)
        number = seconds >= 0 ? seconds / 86_400 : (seconds + 1) / 86_400 - 1
    }

    /// The day `count` days before.
    package func before(_ count: Int) -> CacheDay { CacheDay(start + .seconds(-86_400 * count)) }

    package var start: Timestamp { Timestamp(seconds: Int64(number) * 86_400) }

    package static func < (left: CacheDay, right: CacheDay) -> Bool { left.number < right.number }

    /// As people write it: `2026-01-31`.
    package var isoText: String {
        let digits = description
        return "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.dropFirst(6))"
    }

    package var description: String {
        let civil = CivilTime(start)
        var text: [UInt8] = []
        text.append(decimal: civil.year, width: 4)
        text.append(decimal: civil.month, width: 2)
        text.append(decimal: civil.day, width: 2)
        return String(decoding: text, as: UTF8.self)
    }
}
