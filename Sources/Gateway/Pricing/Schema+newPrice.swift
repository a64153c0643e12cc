import Base
import Catalog
import JSON

/// Prices that operators enter.
extension Schema {
    private static func dollars(_ most: Double) -> Schema { .number(0...most) }

    /// What is asked, and when.
    static func newPrice(silence: String) -> [Field] {
        [
            .optional(
                "per_million_tokens",
                .object(
                    PriceColumn.ofTokens.map { .optional($0.rawValue, dollars(1e9), "As in the catalogue.") }
                ).named("NewTokenPrices"), default: "{}", "In dollars. What is left out \(silence)."),
            .optional(
                "per_unit",
                .object(PriceColumn.ofUnits.map { .optional($0.rawValue, dollars(1000), "For one.") })
                    .named("NewUnitPrices"), default: "{}", "In dollars for one. What is left out \(silence)."
            ),
            .optional(
                "long_context",
                .object([
                    Field("above_tokens", .integer(1...1_000_000_000), "With more input than this,"),
                    .optional("input", dollars(1e9), "a million tokens of input cost this,"),
                    .optional("output", dollars(1e9), "and of output this."),
                ]).named("NewLongContext"), "What a long request costs in all its tokens."),
            .optional("effective_from", .timestamp, "From when on, and not in the past. Left out: now."),
        ]
    }
}

extension PriceColumn {
    fileprivate static let ofTokens = allCases.filter {
        $0.isPerToken && $0 != .longInput && $0 != .longOutput
    }
    fileprivate static let ofUnits = allCases.filter { !$0.isPerToken }
}

extension ModelPrice {
    /// As `Schema.newPrice` describes it, to the last decimal; all that is wrong with it is told at once.
    init(_ fields: Fields, until: Timestamp? = nil, at now: Timestamp) throws(Problem) {
        var faults: [Problem.Fault] = []
        func amount(_ fields: Fields?, _ name: String, in group: String, perMillion: Bool) -> Int? {
            guard let number = fields?.value(name)?.number else { return nil }
            let amount = Picodollars.read(number, perMillion: perMillion)
            if amount == nil {
                faults.append(
                    Problem.Fault(
                        "\(group).\(name)", "is more exact than a millionth of a millionth of a dollar"))
            }
            return amount
        }
        self.init(from: fields.optionalTimestamp("effective_from") ?? now, until: until)
        for (group, columns) in [
            ("per_million_tokens", PriceColumn.ofTokens), ("per_unit", PriceColumn.ofUnits),
        ] {
            let sent = fields.optionalFields(group)
            for column in columns {
                self[column] = amount(sent, column.rawValue, in: group, perMillion: column.isPerToken)
            }
        }
        if let long = fields.optionalFields("long_context") {
            longContext = LongContext(
                above: long.integer("above_tokens"),
                input: amount(long, "input", in: "long_context", perMillion: true),
                output: amount(long, "output", in: "long_context", perMillion: true))
        }
        if PriceColumn.allCases.allSatisfy({ self[$0] == nil }), longContext == nil, faults.isEmpty {
            faults.append(Problem.Fault("per_million_tokens", "must name a price, where per_unit names none"))
        }
        if from < now {
            faults.append(
                Problem.Fault(
                    "effective_from",
                    "is in the past, which does not change; leave it out where it is to hold at once"))
        }
        if let until, until <= from {
            faults.append(Problem.Fault("effective_to", "must be after effective_from"))
        }
        if !faults.isEmpty {
            // Each field is as described; they make no price.
            throw Problem(faults: faults, code: "invalid_price")
        }
    }
}
