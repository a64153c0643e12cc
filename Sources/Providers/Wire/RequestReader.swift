package import Base
package import JSON

/// Reads a client's request and collects what is wrong with it, so that the client learns of all faults at once.
///
/// A field that is `null` counts as one that is not there. A reader that finds something else than it wants notes a
/// fault and answers nil.
package struct RequestReader {
    /// A client that gets this many wrong has read none of them.
    private static let largestFaultCount = 20

    package private(set) var faults: [Problem.Fault] = []

    package init() {}

    package var problem: Problem? {
        guard let first = faults.first else { return nil }
        let message = faults.map { "\($0.field): \($0.message)" }.joined(separator: "; ")
        return Problem(.invalidRequest, code: "invalid_request", "\(message).", field: first.field)
    }

    package mutating func fault(_ field: String, _ reason: String) {
        if faults.count < Self.largestFaultCount { faults.append(Problem.Fault(field, reason)) }
    }

    // MARK: Values, wherever they are

    package mutating func text(_ value: JSONValue?, _ field: @autoclosure () -> String) -> String? {
        guard let value = value.present else { return nil }
        if let text = value.string { return text }
        fault(field(), "must be a string")
        return nil
    }

    package mutating func filledText(_ value: JSONValue?, _ field: @autoclosure () -> String) -> String? {
        guard let value = value.present else { return nil }
        if let text = value.string, !text.isEmpty { return text }
        fault(field(), "must be a string that is not empty")
        return nil
    }

    package mutating func requiredText(_ value: JSONValue?, _ field: @autoclosure () -> String) -> String? {
        if value.present == nil {
            fault(field(), "is required")
            return nil
        }
        return filledText(value, field())
    }

    package mutating func flag(_ value: JSONValue?, _ field: @autoclosure () -> String) -> Bool? {
        guard let value = value.present else { return nil }
        if let flag = value.bool { return flag }
        fault(field(), "must be true or false")
        return nil
    }

    package mutating func integer(_ value: JSONValue?, _ field: @autoclosure () -> String) -> Int? {
        guard let value = value.present else { return nil }
        if let number = value.int { return number }
        fault(field(), "must be a whole number")
        return nil
    }

    package mutating func count(
        _ value: JSONValue?, from least: Int, _ field: @autoclosure () -> String
    ) -> Int? {
        guard let number = integer(value, field()) else { return nil }
        if number >= least { return number }
        fault(field(), "must be at least \(least)")
        return nil
    }

    package mutating func number(_ value: JSONValue?, _ field: @autoclosure () -> String) -> Double? {
        guard let value = value.present else { return nil }
        if let number = value.double { return number }
        fault(field(), "must be a number")
        return nil
    }

    package mutating func object(_ value: JSONValue?, _ field: @autoclosure () -> String) -> JSONValue? {
        guard let value = value.present else { return nil }
        if value.kind == .object { return value }
        fault(field(), "must be an object")
        return nil
    }

    /// A JSON schema that we can check by.
    package mutating func schema(_ value: JSONValue?, _ field: @autoclosure () -> String) -> JSONValue? {
        guard let schema = object(value, field()) else { return nil }
        do throws(JSONSchema.Faults) {
            _ = try JSONSchema(schema)
            return schema
        } catch {
            for fault in error.faults {
                self.fault(
                    field(), fault.pointer.isEmpty ? fault.message : "\(fault.pointer) \(fault.message)")
            }
            return nil
        }
    }

    package mutating func array(_ value: JSONValue?, _ field: @autoclosure () -> String) -> JSONValue? {
        guard let value = value.present else { return nil }
        if value.kind == .array { return value }
        fault(field(), "must be a list")
        return nil
    }

    /// A list with at least one element.
    package mutating func requiredArray(_ value: JSONValue?, _ field: @autoclosure () -> String) -> JSONValue?
    {
        guard value.present != nil else {
            fault(field(), "is required")
            return nil
        }
        guard let list = array(value, field()) else { return nil }
        if list.element(0) != nil { return list }
        fault(field(), "must not be empty")
        return nil
    }

    /// A string, or a list of strings.
    package mutating func texts(_ value: JSONValue?, _ field: @autoclosure () -> String) -> [String]? {
        guard let value = value.present else { return nil }
        if let text = value.string { return [text] }
        let texts = value.elements.map(\.string)
        if value.kind == .array, !texts.contains(nil) { return texts.compactMap { $0 } }
        fault(field(), "must be a string or a list of strings")
        return nil
    }

    /// One of the raw values of `Choice`.
    package mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ value: JSONValue?, _ field: @autoclosure () -> String
    ) -> Choice? where Choice.RawValue == String {
        guard let text = text(value, field()) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        fault(
            field(), "must be one of \(Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))")
        return nil
    }
}

extension JSONValue? {
    /// nil where it is `null`.
    package var present: JSONValue? { self?.isNull == true ? nil : self }
}
