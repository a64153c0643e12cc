import Base
import Chat
import JSON

/// Reads fields of a request and collects what is wrong with them, so that a client learns of all faults at once.
struct OpenAIFields {
    /// A client that gets this many wrong has read none of them.
    private static let largestFaultCount = 20

    private let object: JSONValue
    private var faults: [(field: String, reason: String)] = []

    init(_ object: JSONValue) { self.object = object }

    var problem: Problem? {
        guard let first = faults.first else { return nil }
        let message = faults.map { "\($0.field): \($0.reason)" }.joined(separator: "; ")
        return Problem(.invalidRequest, code: "invalid_request", "\(message).", field: first.field)
    }

    private mutating func fault(_ field: String, _ reason: String) {
        if faults.count < Self.largestFaultCount { faults.append((field, reason)) }
    }

    private func value(_ field: StaticString) -> JSONValue? {
        guard let value = object[field], !value.isNull else { return nil }
        return value
    }

    mutating func text(_ field: StaticString, isRequired: Bool = false) -> String? {
        guard let value = value(field) else {
            if isRequired { fault("\(field)", "is required") }
            return nil
        }
        guard let text = value.string, !text.isEmpty else {
            fault("\(field)", "must be a string that is not empty")
            return nil
        }
        return text
    }

    mutating func flag(_ field: StaticString) -> Bool? {
        guard let value = value(field) else { return nil }
        if let flag = value.bool { return flag }
        fault("\(field)", "must be true or false")
        return nil
    }

    mutating func integer(_ field: StaticString) -> Int? {
        guard let value = value(field) else { return nil }
        if let number = value.int { return Int(number) }
        fault("\(field)", "must be a whole number")
        return nil
    }

    mutating func count(_ field: StaticString, from least: Int) -> Int? {
        guard let number = integer(field) else { return nil }
        if number >= least { return number }
        fault("\(field)", "must be at least \(least)")
        return nil
    }

    mutating func object(_ field: StaticString) -> JSONValue? {
        guard let value = value(field) else { return nil }
        if value.kind == .object { return value }
        fault("\(field)", "must be an object")
        return nil
    }

    /// A string, or a list of strings.
    mutating func texts(_ field: StaticString) -> [String]? {
        guard let value = value(field) else { return nil }
        if let text = value.string { return [text] }
        let texts = value.elements.map(\.string)
        if value.kind == .array, !texts.contains(nil) { return texts.compactMap { $0 } }
        fault("\(field)", "must be a string or a list of strings")
        return nil
    }

    mutating func messages() -> JSONValue? {
        guard let value = value("messages") else {
            fault("messages", "is required")
            return nil
        }
        guard value.kind == .array, value.element(0) != nil else {
            fault("messages", "must be a list with at least one message")
            return nil
        }
        for (index, message) in value.elements.enumerated() {
            guard message.kind == .object else {
                fault("messages[\(index)]", "must be an object")
                continue
            }
            // The roles of later dialects pass through; a role must only be there.
            if message["role"]?.string == nil { fault("messages[\(index)].role", "is required") }
            checkContent(message["content"], of: index)
        }
        return value
    }

    private mutating func checkContent(_ content: JSONValue?, of index: Int) {
        switch content?.kind {
        case nil, .null, .string, .array: return
        default: fault("messages[\(index)].content", "must be a string or a list of parts")
        }
    }
}
