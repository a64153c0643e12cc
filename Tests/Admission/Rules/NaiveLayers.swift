import Base
import JSON

/// Three layers and a key's own limits as plain tables, by the names that they have on the wire.
struct NaiveLayers {
    /// By path (`users.0199…`), then by kind. A nil within says "not limited".
    typealias Layer = [String: [String: Int?]]

    var plan: Layer = [:]
    var overrides: Layer = [:]
    var own: Layer = [:]
    var key: [String: Int] = [:]

    static let kinds =
        ["requests", "tokens"].flatMap { what in
            ["minute", "hour", "day", "month"].map { "\(what)_per_\($0)" }
        } + ["concurrent_requests"]

    /// What holds of one kind for a subject, which has rules of its own at `path` and shares those at `general`.
    func bound(_ kind: String, at path: String, under general: String?, ofKey: Bool) -> (Int, source: String)?
    {
        func said(_ layer: Layer) -> Int?? { layer[path]?[kind] ?? general.flatMap { layer[$0]?[kind] } }
        var candidates: [(Int, source: String)] = []
        if let override = said(overrides) {
            if let override { candidates.append((override, "operator")) }
        } else if case .some(.some(let value)) = said(plan) {
            candidates.append((value, "plan"))
        }
        if case .some(.some(let value)) = said(own) { candidates.append((value, "organization")) }
        if ofKey, let value = key[kind] { candidates.append((value, "key")) }
        guard let least = candidates.map(\.0).min() else { return nil }
        return candidates.first { $0.0 == least }
    }

    // MARK: Made up

    static let users = [UUID(high: 1, low: 1), UUID(high: 1, low: 2)]
    static let keys = [UUID(high: 2, low: 1), UUID(high: 2, low: 2)]
    static let models = ["a/one", "b/\"two\"", "ü"]
    static let groups = ["chat", "embeddings", "images", "management"]

    static func random(_ random: inout SeededGenerator) -> NaiveLayers {
        let key = rule(mayLift: false, &random).compactMapValues(\.self)
        return NaiveLayers(
            plan: layer(overrides: false, &random), overrides: layer(overrides: true, &random),
            own: layer(overrides: false, &random), key: key)
    }

    private static func layer(overrides: Bool, _ random: inout SeededGenerator) -> Layer {
        var layer: Layer = [:]
        for name in ["organization", "user", "key", "model"] where Bool.random(using: &random) {
            layer[name] = rule(mayLift: overrides, &random)
        }
        let specific =
            users.map { "users.\($0)" } + keys.map { "keys.\($0)" } + models.map { "models.\($0)" }
        for path in specific where Bool.random(using: &random) {
            layer[path] = rule(mayLift: true, &random)
        }
        for group in groups where Bool.random(using: &random) {
            layer["groups.\(group)"] = rule(mayLift: overrides, &random)
        }
        return layer
    }

    private static func rule(mayLift: Bool, _ random: inout SeededGenerator) -> [String: Int?] {
        var rule: [String: Int?] = [:]
        for kind in kinds where Int.random(in: 0..<3, using: &random) == 0 {
            // Few values, so that layers often say the same.
            rule[kind] = .some(
                mayLift && Bool.random(using: &random) ? nil : Int.random(in: 0...4, using: &random))
        }
        return rule
    }

    // MARK: On the wire

    static func json(_ layer: Layer) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            for name in ["organization", "user", "key", "model"] {
                guard let rule = layer[name] else { continue }
                json.key(dynamic: name)
                write(rule, to: &json)
            }
            for name in ["users", "keys", "models", "groups"] {
                let rules = layer.filter { $0.key.hasPrefix("\(name).") }
                if rules.isEmpty { continue }
                json.key(dynamic: name)
                json.object { json in
                    for (path, rule) in rules {
                        json.key(dynamic: String(path.dropFirst(name.count + 1)))
                        write(rule, to: &json)
                    }
                }
            }
        }
        return json.bytes
    }

    static func write(_ rule: [String: Int?], to json: inout JSONWriter) {
        json.object { json in
            for (kind, value) in rule {
                json.key(dynamic: kind)
                if let value { json.value(value) } else { json.null() }
            }
        }
    }
}
