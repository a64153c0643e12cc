package import Base
package import JSON

/// How an organization's answers are kept.
package struct CachePolicy: Equatable, Sendable {
    package var isEnabled = true
    package var lifetimeSeconds = 3600
    /// An answer that is larger as it is stored is not kept.
    package var largestEntryBytes = 1 << 20
    /// Whether answers are kept that were to be different each time.
    package var cachesNonzeroTemperature = true
    /// Whether those who ask the same at the same time wait for one answer.
    package var coalesces = true
    package var semantic = Semantic()

    /// Answers to what was asked in other words.
    package struct Semantic: Equatable, Sendable {
        package var isEnabled = false
        /// How near two questions have to be: the cosine of their vectors, in thousandths.
        package var thresholdThousandths = 950
        /// What makes the vectors; nil for what the instance has.
        package var embeddingModel: String?
        /// A conversation with more turns of the user is not looked for.
        package var turns = 4

        package init() {}
    }

    package static let lifetimes = 1...2_592_000
    package static let entrySizes = 1...(16 << 20)
    package static let thresholds = 500...1000
    package static let turnCounts = 1...50
    package static let longestModelName = 256

    package init() {}
}

// MARK: - JSON
extension CachePolicy {
    /// What is not said is as it is without. Throws all that is wrong at once, each with its field.
    package init(json: JSONValue) throws(Problem) {
        var reader = CachePolicyReader()
        self = reader.policy(json)
        if !reader.faults.isEmpty { throw Problem(faults: reader.faults) }
    }
}

private struct CachePolicyReader {
    private(set) var faults: [Problem.Fault] = []

    /// Who gets this many wrong has read none of them.
    private static let largestFaultCount = 20

    mutating func policy(_ json: JSONValue) -> CachePolicy {
        var policy = CachePolicy()
        guard json.kind == .object else {
            fault("", "must be an object")
            return policy
        }
        for member in json.members where !member.value.isNull {
            let value = member.value
            switch member.key {
            case "enabled": read(value, "enabled", into: &policy.isEnabled)
            case "ttl_seconds":
                read(value, "ttl_seconds", CachePolicy.lifetimes, into: &policy.lifetimeSeconds)
            case "largest_entry_bytes":
                read(value, "largest_entry_bytes", CachePolicy.entrySizes, into: &policy.largestEntryBytes)
            case "cache_nonzero_temperature":
                read(value, "cache_nonzero_temperature", into: &policy.cachesNonzeroTemperature)
            case "coalesce": read(value, "coalesce", into: &policy.coalesces)
            case "semantic": policy.semantic = semantic(value)
            default:
                unknown(
                    member.key.string,
                    "enabled, ttl_seconds, largest_entry_bytes, cache_nonzero_temperature, coalesce and "
                        + "semantic")
            }
        }
        return policy
    }

    private mutating func semantic(_ json: JSONValue) -> CachePolicy.Semantic {
        var semantic = CachePolicy.Semantic()
        guard json.kind == .object else {
            fault("semantic", "must be an object")
            return semantic
        }
        for member in json.members where !member.value.isNull {
            let value = member.value
            switch member.key {
            case "enabled": read(value, "semantic.enabled", into: &semantic.isEnabled)
            case "threshold": read(value, threshold: &semantic.thresholdThousandths)
            case "model":
                semantic.embeddingModel = value.string
                let length = value.string?.utf8.count ?? 0
                if !(1...CachePolicy.longestModelName).contains(length) {
                    fault(
                        "semantic.model",
                        "must be a model's name of 1 to \(CachePolicy.longestModelName) bytes")
                }
            case "turns": read(value, "semantic.turns", CachePolicy.turnCounts, into: &semantic.turns)
            default:
                unknown(
                    "semantic.\(member.key.string)",
                    "enabled, threshold, model and turns")
            }
        }
        return semantic
    }

    private mutating func read(_ value: JSONValue, _ field: String, into flag: inout Bool) {
        if let read = value.bool { flag = read } else { fault(field, "must be true or false") }
    }

    private mutating func read(
        _ value: JSONValue, _ field: String, _ bounds: ClosedRange<Int>, into number: inout Int
    ) {
        if let read = value.int, bounds.contains(read) {
            number = read
        } else {
            fault(field, "must be a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
    }

    private mutating func read(_ value: JSONValue, threshold thousandths: inout Int) {
        let bounds = CachePolicy.thresholds
        if let number = value.double, number >= 0.5, number <= 1 {
            thousandths = Int((number * 1000).rounded(.up))
        } else {
            fault(
                "semantic.threshold",
                "must be a number from 0.\(bounds.lowerBound / 100) to \(bounds.upperBound / 1000)")
        }
    }

    private mutating func unknown(_ field: String, _ known: String) {
        fault(String(field.prefix(64)), "is not known; there are \(known)")
    }

    private mutating func fault(_ field: String, _ message: String) {
        if faults.count < Self.largestFaultCount { faults.append(Problem.Fault(field, message)) }
    }
}
