package import Base
package import JSON

extension Schema {
    /// Every fault of `value`, each with its path: `limits.requests_per_minute`, `scopes[2]`. None if it is as it
    /// should be.
    package func faults(of value: JSONValue, at path: String = "") -> [Problem.Fault] {
        var check = SchemaCheck()
        check.check(value, self, at: path)
        return check.faults
    }

    package func takes(_ value: JSONValue) -> Bool { faults(of: value).isEmpty }

    /// Whether the text is taken as a string.
    package func takes(_ text: String) -> Bool {
        switch kind {
        case .string(let rule): rule.takes(text)
        case .choice(let choices): choices.contains(text)
        default: false
        }
    }
}

/// Walks over a value and notes what is wrong.
private struct SchemaCheck {
    /// A client that gets this many wrong has read none of them.
    private static let largestFaultCount = 50
    /// How much of a client's key is said back.
    private static let largestKey = 64
    /// A fault deeper than this names what it is in.
    private static let largestPath = 300

    private(set) var faults: [Problem.Fault] = []

    private mutating func fault(_ path: String, _ message: String) {
        guard faults.count < Self.largestFaultCount else { return }
        faults.append(Problem.Fault(path, message))
    }

    mutating func check(_ value: JSONValue, _ schema: Schema, at path: String) {
        if let kind = schema.jsonKind, value.kind != kind {
            return fault(path, value.isNull ? "must not be null" : "must be \(schema.noun)")
        }
        switch schema.kind {
        case .string(let rule):
            if let message = rule.fault(of: value.string ?? "") { fault(path, message) }
        case .choice(let choices):
            if !choices.contains(value.string ?? "") { fault(path, "must be \(schema.noun)") }
        case .integer(let range): checkInteger(value, range, at: path)
        case .number(let range):
            guard let number = value.number, range.contains(number) else {
                return fault(path, "must be between \(range.lowerBound) and \(range.upperBound)")
            }
        case .boolean: return
        case .array(let element, let count, let isUnique):
            checkArray(value, of: element, count, isUnique, at: path)
        case .object(let fields, let isOpen): checkObject(value, fields, isOpen, at: path)
        case .map(let element, let keys, let maximumCount):
            checkMap(value, of: element, keys, maximumCount, at: path)
        case .anyOf(let schemas): checkAny(value, of: schemas, schema, at: path)
        case .any: checkAnything(value, at: path)
        case .free: return
        }
    }

    private mutating func checkInteger(_ value: JSONValue, _ range: ClosedRange<Int>, at path: String) {
        guard let number = value.int else {
            // Also what no 64 bits hold; both are told the same.
            return fault(
                path, "must be a whole number between \(range.lowerBound) and \(range.upperBound)")
        }
        if !range.contains(number) {
            fault(path, "must be between \(range.lowerBound) and \(range.upperBound)")
        }
    }

    private mutating func checkArray(
        _ value: JSONValue, of element: Schema, _ count: ClosedRange<Int>, _ isUnique: Bool, at path: String
    ) {
        var found = 0
        var seen: Set<[UInt8]> = []
        for item in value.elements {
            found += 1
            if found > count.upperBound { continue }
            let itemPath = "\(path)[\(found - 1)]"
            check(item, element, at: itemPath)
            if isUnique, !seen.insert(item.canonical()).inserted {
                fault(itemPath, "is in the list already")
            }
        }
        if found < count.lowerBound { fault(path, "must have at least \(count.lowerBound) elements") }
        if found > count.upperBound { fault(path, "must have at most \(count.upperBound) elements") }
    }

    private mutating func checkObject(
        _ value: JSONValue, _ fields: [Field], _ isOpen: Bool, at path: String
    ) {
        var present: Set<String> = []
        for member in value.members {
            let key = member.key.string
            let memberPath = Self.path(key, in: path)
            if let field = fields.first(where: { $0.name == key }) {
                present.insert(key)
                if field.isNullable, member.value.isNull { continue }
                check(member.value, field.schema, at: memberPath)
            } else if !isOpen {
                fault(memberPath, "is not known here")
            }
        }
        for field in fields where field.isRequired && !present.contains(field.name) {
            fault(Self.path(field.name, in: path), "is required")
        }
    }

    private mutating func checkMap(
        _ value: JSONValue, of element: Schema, _ keys: TextRule, _ maximumCount: Int, at path: String
    ) {
        var count = 0
        for member in value.members {
            count += 1
            if count > maximumCount { continue }
            let key = member.key.string
            let memberPath = Self.path(key, in: path)
            if let message = keys.fault(of: key) { fault(memberPath, "as a key \(message)") }
            check(member.value, element, at: memberPath)
        }
        if count > maximumCount { fault(path, "must have at most \(maximumCount) fields") }
    }

    private mutating func checkAny(
        _ value: JSONValue, of schemas: [Schema], _ schema: Schema, at path: String
    ) {
        let found = schemas.map { $0.faults(of: value, at: path) }
        if found.contains(where: \.isEmpty) { return }
        let alike = zip(schemas, found).filter { $0.0.jsonKind == value.kind }
        if alike.count == 1 {
            for each in alike[0].1 { fault(each.field, each.message) }
        } else {
            fault(path, "must be \(schema.noun)")
        }
    }

    private mutating func checkAnything(_ value: JSONValue, at path: String) {
        switch value.kind {
        case .string:
            if (value.string ?? "").utf8.contains(0) { fault(path, "must not contain U+0000") }
        case .number:
            if !Schema.doubles.contains(value.number ?? "") {
                fault(path, "must not be larger than a double")
            }
        case .array:
            for (index, element) in value.elements.enumerated() {
                checkAnything(element, at: "\(path)[\(index)]")
            }
        case .object:
            for member in value.members {
                let key = member.key.string
                let memberPath = Self.path(key, in: path)
                if key.utf8.contains(0) { fault(memberPath, "must not contain U+0000") }
                checkAnything(member.value, at: memberPath)
            }
        case .bool, .null: return
        }
    }

    /// The path of what is under `key`, which is the client's own text: cut, and without what does not print.
    private static func path(_ key: String, in path: String) -> String {
        var shown = String.UnicodeScalarView()
        for scalar in key.unicodeScalars.prefix(largestKey) {
            shown.append(scalar.isShown ? scalar : "\u{FFFD}")
        }
        if key.unicodeScalars.count > largestKey { shown.append("…") }
        let whole = path.isEmpty ? String(shown) : "\(path).\(String(shown))"
        return whole.unicodeScalars.count > largestPath ? path : whole
    }
}

extension Unicode.Scalar {
    fileprivate var isShown: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            false
        default: true
        }
    }
}
