import Base
import JSON

/// An object of an answer or a webhook, and where it was in it. What is not asked for is let be; what is needed and is
/// missing is named.
struct StripeFields {
    private let value: JSONValue
    private let path: String

    /// - Parameter kind: what the object must say that it is, where that matters.
    init(_ value: JSONValue, _ path: String, kind: StaticString? = nil) throws(StripeFault) {
        guard value.kind == .object else { throw StripeFault(path, "is no object") }
        self.value = value
        self.path = path
        if let kind, value["object"]?.stringEquals(kind) != true {
            throw fault("object", "is not \"\(kind)\"")
        }
    }

    // MARK: What may be missing

    /// `null` is as good as nothing.
    private subscript(_ name: StaticString) -> JSONValue? {
        value[name].flatMap { $0.isNull ? nil : $0 }
    }

    func text(ifThere name: StaticString) throws(StripeFault) -> String? {
        guard let found = self[name] else { return nil }
        guard let text = found.string else { throw fault(name, "is no text") }
        return text
    }

    func number(ifThere name: StaticString) throws(StripeFault) -> Int64? {
        guard let found = self[name] else { return nil }
        guard let number = found.int else { throw fault(name, "is no whole number of 64 bits") }
        return Int64(number)
    }

    func time(ifThere name: StaticString) throws(StripeFault) -> Timestamp? {
        guard let seconds = try number(ifThere: name) else { return nil }
        guard (0..<StripeFields.latestSecond).contains(seconds) else { throw fault(name, "is no time") }
        return Timestamp(seconds: seconds)
    }

    /// The year 3000: a time beyond it is none, and could not be told in microseconds.
    private static let latestSecond: Int64 = 32_503_680_000

    /// The identifier of another object, which is there itself where somebody asked for it.
    func reference(ifThere name: StaticString) throws(StripeFault) -> String? {
        guard let found = self[name] else { return nil }
        guard let text = found.string ?? found["id"]?.string else {
            throw fault(name, "names no object")
        }
        return text
    }

    func secret(ifThere name: StaticString) throws(StripeFault) -> Secret? {
        try text(ifThere: name).map(Secret.init)
    }

    func fields(ifThere name: StaticString) throws(StripeFault) -> StripeFields? {
        guard let found = self[name] else { return nil }
        return try StripeFields(found, place(name))
    }

    /// Ours, which Stripe keeps for us.
    func metadata() throws(StripeFault) -> [String: String] {
        guard let found = self["metadata"] else { return [:] }
        var metadata: [String: String] = [:]
        for member in found.members {
            guard let text = member.value.string else {
                throw fault("metadata", "has a member that is no text")
            }
            metadata[member.key.string] = text
        }
        return metadata
    }

    // MARK: What is needed

    func text(_ name: StaticString) throws(StripeFault) -> String {
        try needed(text(ifThere: name), name)
    }

    func number(_ name: StaticString) throws(StripeFault) -> Int64 {
        try needed(number(ifThere: name), name)
    }

    func time(_ name: StaticString) throws(StripeFault) -> Timestamp {
        try needed(time(ifThere: name), name)
    }

    func reference(_ name: StaticString) throws(StripeFault) -> String {
        try needed(reference(ifThere: name), name)
    }

    func fields(_ name: StaticString) throws(StripeFault) -> StripeFields {
        try needed(fields(ifThere: name), name)
    }

    func flag(_ name: StaticString) throws(StripeFault) -> Bool {
        guard let flag = try needed(self[name], name).bool else {
            throw fault(name, "is neither true nor false")
        }
        return flag
    }

    /// One of the values that the pinned version of the API has.
    func choice<Choice: RawRepresentable<String>>(_ name: StaticString) throws(StripeFault) -> Choice {
        guard let choice = Choice(rawValue: try text(name)) else {
            throw fault(name, "is a value that we do not know")
        }
        return choice
    }

    func amount(_ name: StaticString) throws(StripeFault) -> StripeAmount {
        StripeAmount(cents: try number(name), currency: try text("currency"))
    }

    func elements<Element: StripeReadable>(_ name: StaticString) throws(StripeFault) -> [Element] {
        let list = try needed(self[name], name)
        guard list.kind == .array else { throw fault(name, "is no list") }
        var elements: [Element] = []
        for element in list.elements {
            elements.append(try Element(element, "\(place(name))[\(elements.count)]"))
        }
        return elements
    }

    func object<Object: StripeReadable>(_ name: StaticString) throws(StripeFault) -> Object {
        try Object(needed(self[name], name), place(name))
    }

    private func needed<Value>(_ value: Value?, _ name: StaticString) throws(StripeFault) -> Value {
        guard let value else { throw fault(name, "is missing") }
        return value
    }

    private func place(_ name: StaticString) -> String { path.isEmpty ? "\(name)" : "\(path).\(name)" }

    func fault(_ name: StaticString, _ reason: String) -> StripeFault { StripeFault(place(name), reason) }
}

/// What can be read from an answer.
protocol StripeReadable: Sendable {
    init(_ value: JSONValue, _ path: String) throws(StripeFault)
}

/// What somebody said in Stripe's name, and is not what it should be. Says nothing of its values.
package struct StripeFault: Error, Equatable, Sendable, CustomStringConvertible {
    package let field: String
    package let reason: String

    init(_ field: String, _ reason: String) {
        self.field = field
        self.reason = reason
    }

    package var description: String { field.isEmpty ? "the whole \(reason)" : "\"\(field)\" \(reason)" }
}
