package import Base
import JSON

extension LimitRules {
    /// Throws everything that is wrong at once, each with its field behind `path`.
    ///
    /// - Parameter overrides: whether they lie over a plan, so that `null` ("not limited") says something everywhere.
    ///   Elsewhere it does so in `users`, `keys` and `models`, which lie over `user`, `key` and `model`.
    package init(json: [UInt8], overrides: Bool = false, at path: String = "") throws(Problem) {
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: json)
        } catch {
            throw Problem(faults: [Problem.Fault(path, "must be JSON")])
        }
        var reader = LimitRulesReader(overrides: overrides)
        self = reader.read(document.root, at: path)
        if !reader.faults.isEmpty { throw Problem(faults: reader.faults) }
    }
}

/// Walks over a document of rules and notes what is wrong.
private struct LimitRulesReader {
    let overrides: Bool
    private(set) var faults: [Problem.Fault] = []

    private static let largestFaultCount = 50

    init(overrides: Bool) { self.overrides = overrides }

    mutating func read(_ value: JSONValue, at path: String) -> LimitRules {
        var rules = LimitRules()
        for member in members(of: value, at: path) {
            let (value, path) = (member.value, member.path)
            switch member.name {
            case "organization": rules.organization = rule(value, path, mayLift: overrides)
            case "user": rules.user = rule(value, path, mayLift: overrides)
            case "key": rules.key = rule(value, path, mayLift: overrides)
            case "model": rules.model = rule(value, path, mayLift: overrides)
            case "users": rules.users = map(value, path, mayLift: true) { UUID($0) }
            case "keys": rules.keys = map(value, path, mayLift: true) { UUID($0) }
            case "models": rules.models = map(value, path, mayLift: true, Self.model)
            case "groups": rules.groups = map(value, path, mayLift: overrides) { EndpointGroup(rawValue: $0) }
            default: fault(path, "is not known here")
            }
        }
        return rules
    }

    private mutating func rule(_ value: JSONValue, _ path: String, mayLift: Bool) -> LimitRule {
        var rule = LimitRule()
        for member in members(of: value, at: path) {
            guard let kind = LimitKind(rawValue: member.name) else {
                fault(member.path, "is not known here")
                continue
            }
            if member.value.isNull {
                if mayLift { rule[kind] = .unlimited } else { fault(member.path, "must not be null") }
            } else if let bound = member.value.int, (0...kind.largest).contains(bound) {
                rule[kind] = .atMost(bound)
            } else {
                fault(member.path, "must be a whole number between 0 and \(kind.largest)")
            }
        }
        return rule
    }

    private mutating func map<Key>(
        _ value: JSONValue, _ path: String, mayLift: Bool, _ key: (String) -> Key?
    ) -> [Key: LimitRule] {
        var rules: [Key: LimitRule] = [:]
        for member in members(of: value, at: path) {
            guard let key = key(member.name) else {
                fault(member.path, "is none that there can be")
                continue
            }
            guard rules.count < LimitRules.largestCount else {
                fault(path, "must have at most \(LimitRules.largestCount) fields")
                break
            }
            let isNew =
                rules.updateValue(rule(member.value, member.path, mayLift: mayLift), forKey: key) == nil
            if !isNew { fault(member.path, "is there already, in another spelling") }
        }
        return rules
    }

    private static func model(_ name: String) -> String? {
        (1...LimitRules.longestName).contains(name.unicodeScalars.count) && !name.utf8.contains(0)
            ? name : nil
    }

    private mutating func members(
        of value: JSONValue, at path: String
    ) -> [(name: String, path: String, value: JSONValue)] {
        guard value.kind == .object else {
            fault(path, "must be an object")
            return []
        }
        return value.members.map { member in
            let name = member.key.string
            return (name, path.isEmpty ? "\(name.prefix(64))" : "\(path).\(name.prefix(64))", member.value)
        }
    }

    private mutating func fault(_ path: String, _ message: String) {
        guard faults.count < Self.largestFaultCount else { return }
        faults.append(Problem.Fault(path, message))
    }
}
