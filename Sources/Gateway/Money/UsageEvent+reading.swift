import Base
import Catalog
import Chat
import JSON

extension UsageEvent {
    /// Why a line of the journal is none.
    package struct Unreadable: Error, Equatable {
        package var reason: String
    }

    /// Reads what `encoded` has written, and nothing else: what is missing, unknown, twice there or does not add up is
    /// money that nobody can account for.
    package init(journal line: [UInt8]) throws(Unreadable) {
        let document: JSONDocument
        do throws(JSONError) { document = try JSONDocument(parsing: line) } catch {
            throw Unreadable(reason: "not JSON: \(error)")
        }
        var fields = try JournalFields(document.root, "event")
        let version = try fields.integer("v")
        guard version == Self.version else {
            throw Unreadable(reason: "version \(version) is not known here")
        }
        self.init(
            id: try fields.identifier("id"), requestID: try fields.text("request"),
            organization: try fields.identifier("organization"), user: try fields.identifier("user"),
            key: try fields.identifier("key"), endpoint: try fields.text("endpoint"),
            model: try fields.text("model"), at: try fields.moment("at"), attempts: [])
        for value in try fields.list("attempts") { attempts.append(try Attempt(value)) }
        for value in try fields.list("charges", isOptional: true) {
            var charge = try JournalFields(value, "charge")
            charges.append(
                Charge(limit: try charge.identifier("limit"), nanodollars: try charge.amount("nano")))
            try charge.end()
        }
        cache = try fields.optionalText("cache")
        isDirect = try fields.flag("direct")
        let told = try fields.amount("cost")
        try fields.end()
        guard told == cost else {
            throw Unreadable(reason: "the attempts cost \(cost), and together \(told)")
        }
    }
}

extension UsageEvent.Attempt {
    fileprivate init(_ value: JSONValue) throws(UsageEvent.Unreadable) {
        var fields = try JournalFields(value, "attempt")
        let outcome = try fields.text("outcome")
        guard let outcome = AttemptReport.Outcome(rawValue: outcome) else {
            throw UsageEvent.Unreadable(reason: "no attempt ends \(outcome)")
        }
        self.init(
            provider: try fields.text("provider"), model: try fields.text("model"),
            started: try fields.moment("started"), latency: .microseconds(try fields.integer("latency")),
            outcome: outcome, cost: try fields.optionalAmount("cost"))
        isOwnKey = try fields.flag("own_key")
        timeToFirstToken = try fields.optionalInteger("first_token").map { .microseconds($0) }
        fault = try fields.optionalText("fault")
        imageCount = try fields.optionalInteger("images") ?? 0
        priceFrom = try fields.optionalInteger("price").map { Timestamp(microseconds: Int64($0)) }
        let isEstimated = try fields.flag("estimated")
        if let tokens = fields.take("tokens") { usage = try Self.usage(tokens) }
        if isEstimated {
            guard usage != nil else { throw UsageEvent.Unreadable(reason: "a guess at nothing") }
            usage?.isEstimated = true
        }
        try fields.end()
    }

    private static func usage(_ value: JSONValue) throws(UsageEvent.Unreadable) -> ChatUsage {
        var fields = try JournalFields(value, "tokens")
        var usage = ChatUsage()
        for kind in TokenKind.allCases {
            kind.set(try fields.optionalInteger(kind.rawValue) ?? 0, in: &usage)
        }
        try fields.end()
        return usage
    }
}

/// The members of an object of the journal, each of which is taken once.
private struct JournalFields {
    private var left: [String: JSONValue] = [:]
    private let what: String

    typealias Unreadable = UsageEvent.Unreadable

    init(_ value: JSONValue, _ what: String) throws(Unreadable) {
        self.what = what
        guard value.kind == .object else { throw Unreadable(reason: "\(what): no object") }
        for member in value.members {
            guard left.updateValue(member.value, forKey: member.key.string) == nil else {
                throw Unreadable(reason: "\(what): \(member.key.string) is there twice")
            }
        }
    }

    mutating func take(_ name: String) -> JSONValue? { left.removeValue(forKey: name) }

    func end() throws(Unreadable) {
        if let name = left.keys.min() { throw Unreadable(reason: "\(what): \(name) is not known") }
    }

    mutating func optionalText(_ name: String) throws(Unreadable) -> String? {
        guard let value = take(name) else { return nil }
        guard let text = value.string else { throw wrong(name) }
        return text
    }

    mutating func text(_ name: String) throws(Unreadable) -> String {
        try needed(try optionalText(name), name)
    }

    mutating func optionalInteger(_ name: String) throws(Unreadable) -> Int? {
        guard let value = take(name) else { return nil }
        guard let integer = value.int else { throw wrong(name) }
        return integer
    }

    mutating func integer(_ name: String) throws(Unreadable) -> Int {
        try needed(try optionalInteger(name), name)
    }

    /// Nobody pays less than nothing.
    mutating func optionalAmount(_ name: String) throws(Unreadable) -> Int64? {
        guard let amount = try optionalInteger(name) else { return nil }
        guard amount >= 0, Int64(amount) <= ModelPrice.mostNanodollars else { throw wrong(name) }
        return Int64(amount)
    }

    mutating func amount(_ name: String) throws(Unreadable) -> Int64 {
        try needed(try optionalAmount(name), name)
    }

    mutating func moment(_ name: String) throws(Unreadable) -> Timestamp {
        Timestamp(microseconds: Int64(try integer(name)))
    }

    mutating func identifier(_ name: String) throws(Unreadable) -> UUID {
        guard let identifier = UUID(try text(name)) else { throw wrong(name) }
        return identifier
    }

    mutating func flag(_ name: String) throws(Unreadable) -> Bool {
        guard let value = take(name) else { return false }
        guard let flag = value.bool else { throw wrong(name) }
        return flag
    }

    mutating func list(_ name: String, isOptional: Bool = false) throws(Unreadable) -> [JSONValue] {
        guard let value = take(name) else {
            if isOptional { return [] }
            throw Unreadable(reason: "\(what): \(name) is missing")
        }
        guard value.kind == .array else { throw wrong(name) }
        return Array(value.elements)
    }

    private func needed<Value>(_ value: Value?, _ name: String) throws(Unreadable) -> Value {
        guard let value else { throw Unreadable(reason: "\(what): \(name) is missing") }
        return value
    }

    private func wrong(_ name: String) -> Unreadable { Unreadable(reason: "\(what): \(name) is none") }
}
