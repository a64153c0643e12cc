import Base
import JSON

/// An amount on the wire: whole nano-dollars, and the same in dollars to the last decimal.
extension JSONWriter {
    mutating func money(_ name: StaticString, _ nanodollars: Int64) {
        object(name) { json in
            json.field("nano", String(nanodollars))
            json.field("usd", String(decoding: DollarText.bytes(Int(nanodollars), places: 9), as: UTF8.self))
        }
    }
}

extension Schema {
    static let money = Schema.object([
        Field(
            "nano", .string(TextRule(1...20, pattern: TextPattern("[0-9]+"))), "In billionths of a dollar."),
        Field(
            "usd", .string(TextRule(1...32, pattern: TextPattern(#"[0-9]+(\.[0-9]+)?"#))),
            "The same in dollars, not rounded."),
    ]).named("Money")
}
