package import Base
package import JSON

/// What one layer says: a plan, an operator's overrides, an organization's own rules.
package struct LimitRules: Equatable, Sendable {
    package var organization = LimitRule()
    /// Each user.
    package var user = LimitRule()
    /// Over `user`, for some.
    package var users: [UUID: LimitRule] = [:]
    /// Each key.
    package var key = LimitRule()
    package var keys: [UUID: LimitRule] = [:]
    /// Each model.
    package var model = LimitRule()
    package var models: [String: LimitRule] = [:]
    package var groups: [EndpointGroup: LimitRule] = [:]

    /// Of `users`, `keys` and `models` each.
    package static let largestCount = 1000
    /// Of a model's name, in Unicode scalars.
    package static let longestName = 200

    package init() {}

    /// Whether nothing is said.
    package var isEmpty: Bool { self == LimitRules() }
}

extension LimitRules: JSONWritable {
    /// What says nothing is left out, so that equal rules are written alike.
    package func write(to json: inout JSONWriter) {
        json.object { json in
            for (name, rule) in [
                ("key", key), ("model", model), ("organization", organization), ("user", user),
            ]
            where !rule.isEmpty {
                json.key(dynamic: name)
                json.value(rule)
            }
            Self.write("groups", Self.named(groups, \.rawValue), to: &json)
            Self.write("keys", Self.named(keys, \.description), to: &json)
            Self.write("models", Self.named(models, \.self), to: &json)
            Self.write("users", Self.named(users, \.description), to: &json)
        }
    }

    /// In canonical spelling.
    package var json: [UInt8] {
        var json = JSONWriter()
        write(to: &json)
        do {
            return try JSONDocument(parsing: json.bytes).root.canonical()
        } catch {
            preconditionFailure("what was written is JSON: \(error)")
        }
    }

    private static func named<Key>(
        _ rules: [Key: LimitRule], _ name: (Key) -> String
    ) -> [(String, LimitRule)] {
        rules.compactMap { key, rule in rule.isEmpty ? nil : (name(key), rule) }
    }

    private static func write(
        _ name: StaticString, _ rules: [(String, LimitRule)], to json: inout JSONWriter
    ) {
        guard !rules.isEmpty else { return }
        json.object(name) { json in
            for (name, rule) in rules {
                json.key(dynamic: name)
                json.value(rule)
            }
        }
    }
}
