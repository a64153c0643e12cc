import Base
package import JSON

/// Makes a value that fits a schema: the same for the same schema and seed.
package struct SandboxValue {
    /// How many ways of going through a schema's alternatives are tried.
    private static let tries = 24
    private static let deepest = 24
    /// In all tries together.
    private static let largestStepCount = 50_000
    /// Where it is optional, nothing is made deeper than this.
    private static let deepestOption = 3

    private let schema: JSONSchema
    private let seed: UInt64
    private var variant = 0
    private var stepsLeft = Self.largestStepCount

    /// The text of a value; nil where none is found, because there is none or the way to it is too long.
    package static func text(fitting schema: JSONSchema, seed: UInt64 = 0) -> String? {
        var maker = SandboxValue(schema: schema, seed: seed)
        for variant in 0..<tries where maker.stepsLeft > 0 {
            maker.variant = variant
            guard let bytes = maker.value([schema.root], Place(name: "value")) else { continue }
            guard let document = try? JSONDocument(parsing: bytes), schema.takes(document.root) else {
                continue
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        return nil
    }

    private init(schema: JSONSchema, seed: UInt64) {
        self.schema = schema
        self.seed = seed
    }

    /// What a value is for.
    private struct Place {
        /// Of the property that it is, or is in.
        var name: String
        var depth = 0
        /// Tells elements of a list apart.
        var salt = 0
    }

    // MARK: Alternatives

    /// A value that fits all of `places`.
    private mutating func value(_ places: [Int], resolved: Set<Int> = [], _ place: Place) -> [UInt8]? {
        stepsLeft -= 1
        guard stepsLeft > 0, place.depth < Self.deepest else { return nil }
        let flat = flattened(places)
        for index in flat {
            let node = schema.nodes[index]
            for (key, branches) in [(2 * index, node.anyOf), (2 * index + 1, node.oneOf)] {
                if branches.isEmpty || resolved.contains(key) { continue }
                for branch in order(branches, place) {
                    if let made = value(flat + [branch], resolved: resolved.union([key]), place) {
                        return made
                    }
                }
                return nil
            }
        }
        return leaf(flat.map { schema.nodes[$0] }, place)
    }

    /// Deep within a value that may go on for ever, what is said last usually ends it.
    private func order<Choice>(_ choices: [Choice], _ place: Place) -> [Choice] {
        if place.depth > Self.deepestOption { return choices.reversed() }
        let start = choices.isEmpty ? 0 : variant % choices.count
        return Array(choices[start...] + choices[..<start])
    }

    private func flattened(_ places: [Int]) -> [Int] {
        var flat: [Int] = []
        var waiting = Array(places.reversed())
        while let index = waiting.popLast() {
            if flat.contains(index) { continue }
            flat.append(index)
            let node = schema.nodes[index]
            waiting += node.allOf
            if let reference = node.reference { waiting.append(reference) }
            let branch =
                variant % 2 == 0 ? [node.alternative] : [node.condition, node.consequence]
            waiting += branch.compactMap { $0 }
        }
        return flat
    }

    private mutating func leaf(_ nodes: [JSONSchemaNode], _ place: Place) -> [UInt8]? {
        if nodes.contains(where: \.isNever) { return nil }
        let choices = nodes.flatMap(\.choices)
        if let first = choices.first {
            let common = first.filter { choice in
                choices.allSatisfy { $0.contains(choice) }
                    && nodes.allSatisfy { $0.types?.takes(choice) ?? true }
            }
            if common.isEmpty { return nil }
            return Array(common[(variant + place.salt) % common.count].bytes)
        }
        for type in order(types(of: nodes), place) {
            if let made = make(type, nodes, place) { return made }
        }
        return nil
    }

    private func types(of nodes: [JSONSchemaNode]) -> [JSONSchemaNode.Types] {
        let all: [JSONSchemaNode.Types] = [.object, .array, .string, .integer, .number, .boolean, .null]
        let said = nodes.compactMap(\.types)
        if said.isEmpty {
            if nodes.contains(where: { !$0.propertyNames.isEmpty || !$0.required.isEmpty }) {
                return [.object]
            }
            if nodes.contains(where: { $0.items != nil || !$0.prefixItems.isEmpty || $0.contains != nil }) {
                return [.array]
            }
            if nodes.contains(where: { $0.minimum != nil || $0.maximum != nil || $0.divisor != nil }) {
                return [.integer, .number]
            }
            return [.string, .integer, .object, .array, .null]
        }
        return all.filter { type in
            said.allSatisfy { $0.contains(type) || type == .integer && $0.contains(.number) }
        }
    }

    private mutating func make(
        _ type: JSONSchemaNode.Types, _ nodes: [JSONSchemaNode], _ place: Place
    ) -> [UInt8]? {
        switch type {
        case .object: return object(nodes, place)
        case .array: return array(nodes, place)
        case .string: return text(nodes, place)
        case .integer: return number(nodes, place, isWhole: true)
        case .number: return number(nodes, place, isWhole: false)
        case .boolean: return Array((place.salt + variant) % 2 == 0 ? "true".utf8 : "false".utf8)
        default: return Array("null".utf8)
        }
    }

    // MARK: Objects and lists

    private mutating func object(_ nodes: [JSONSchemaNode], _ place: Place) -> [UInt8]? {
        let required = nodes.flatMap(\.required)
        let known = nodes.flatMap(\.propertyNames)
        let most = nodes.compactMap(\.maximumProperties).min() ?? Int.max
        let least = nodes.map(\.minimumProperties).max() ?? 0
        let extra = least <= 100 ? (0..<least).map { "property_\($0 + 1)" } : []
        var members: [(String, [UInt8])] = []
        for name in required + known + extra where !members.contains(where: { $0.0 == name }) {
            let isRequired = required.contains(name)
            let isWanted = known.contains(name) && place.depth < Self.deepestOption
            let isMissing = members.count < least
            guard isRequired || (isWanted || isMissing) && members.count < most else { continue }
            let inner = Place(name: name, depth: place.depth + 1, salt: place.salt)
            if let made = value(schemas(of: name, nodes), inner) {
                members.append((name, made))
            } else if isRequired {
                return nil
            }
        }
        // In the order of the schema, as models write it.
        let positions = Dictionary(known.enumerated().map { ($1, $0) }) { first, _ in first }
        members.sort { positions[$0.0] ?? known.count < positions[$1.0] ?? known.count }
        var json = JSONWriter()
        json.object { json in
            for (name, bytes) in members {
                json.key(dynamic: name)
                json.raw(bytes)
            }
        }
        return json.bytes
    }

    private func schemas(of name: String, _ nodes: [JSONSchemaNode]) -> [Int] {
        nodes.flatMap { node -> [Int] in
            var places = [node.properties[Array(name.utf8)]].compactMap { $0 }
            places += node.patternProperties.filter { $0.pattern.matches(name) }.map(\.node)
            return places.isEmpty ? [node.additionalProperties].compactMap { $0 } : places
        }
    }

    private mutating func array(_ nodes: [JSONSchemaNode], _ place: Place) -> [UInt8]? {
        let least = nodes.map(\.minimumItems).max() ?? 0
        let most = nodes.compactMap(\.maximumItems).min() ?? Int.max
        let contained = nodes.filter { $0.contains != nil }.map(\.minimumContains).max() ?? 0
        let tuple = nodes.map(\.prefixItems.count).max() ?? 0
        let wanted = place.depth < Self.deepestOption ? max(2, tuple) : 0
        let count = min(most, max(least, contained, wanted))
        guard count <= 1000, least <= most else { return nil }
        var elements: [[UInt8]] = []
        for index in 0..<count {
            var places = nodes.compactMap { node -> Int? in
                index < node.prefixItems.count ? node.prefixItems[index] : node.items
            }
            if index < contained { places += nodes.compactMap(\.contains) }
            let inner = Place(name: place.name, depth: place.depth + 1, salt: index)
            guard let made = value(places, inner) else {
                if index < max(least, contained) { return nil }
                break
            }
            if nodes.contains(where: \.hasUniqueItems), elements.contains(made) { continue }
            elements.append(made)
        }
        var json = JSONWriter()
        json.array { json in for element in elements { json.raw(element) } }
        return json.bytes
    }

    // MARK: Scalars

    private static let longestText = 10_000

    private func text(_ nodes: [JSONSchemaNode], _ place: Place) -> [UInt8]? {
        let least = nodes.map(\.minimumLength).max() ?? 0
        let most = nodes.compactMap(\.maximumLength).min() ?? Int.max
        guard least <= most, least <= Self.longestText else { return nil }
        var text: String
        if let pattern = nodes.lazy.compactMap(\.pattern).first {
            text = pattern.sample
            while text.unicodeScalars.count < least, pattern.matches(text + "a") { text += "a" }
        } else if let format = nodes.lazy.compactMap(\.format).first, let known = Self.text(of: format) {
            text = known
        } else {
            let end = place.salt == 0 ? "" : " \(place.salt + 1)"
            let start = "sandbox \(place.name)".unicodeScalars.prefix(max(0, most - end.utf8.count))
            var scalars = Array(start + end.unicodeScalars)
            while scalars.count < least { scalars.append("x") }
            text = String(String.UnicodeScalarView(scalars))
        }
        var json = JSONWriter()
        json.value(text)
        return json.bytes
    }

    private static func text(of format: String) -> String? {
        switch format {
        case "date-time": "2026-11-21T09:30:00Z"
        case "date": "2026-11-21"
        case "time": "09:30:00Z"
        case "duration": "PT5M"
        case "email", "idn-email": "sandbox@example.com"
        case "hostname": "example.com"
        case "ipv4": "192.0.2.1"
        case "ipv6": "2001:db8::1"
        case "uri", "url", "iri": "https://example.com/sandbox"
        case "uuid": "00000000-0000-4000-8000-000000000000"
        default: nil
        }
    }

    private func number(_ nodes: [JSONSchemaNode], _ place: Place, isWhole: Bool) -> [UInt8]? {
        func limits(_ bounds: [JSONSchemaNode.Bound]) -> [Double] {
            bounds.compactMap { bound in Double(bound.number.text) }
        }
        let low = limits(nodes.compactMap(\.minimum)).max()
        let high = limits(nodes.compactMap(\.maximum)).min()
        let divisor = nodes.lazy.compactMap { $0.divisor.flatMap { Double($0.text) } }.max()
        var step = divisor ?? (isWhole ? 1 : 0.5)
        if divisor == nil, !isWhole, let low, let high, high - low < 8 * step { step = (high - low) / 8 }
        var generator = SeededGenerator(seed: seed &+ UInt64(variant))
        // Without bounds something small; with them, what lies next to one of them, and later tries further in.
        let free = Double(generator.next() % 100)
        let start = low ?? high.map { min(free, $0 - Double(place.salt + 8) * step) } ?? free
        var number = (start / step).rounded(.up) * step + Double(place.salt + variant % 8) * step
        if let high, number > high { number = (high / step).rounded(.down) * step }
        if isWhole { number = number.rounded() }
        guard number.isFinite else { return nil }
        if let whole = Int(exactly: number) { return Array(String(whole).utf8) }
        let places = nodes.lazy.compactMap { $0.divisor.map { Self.decimals(in: $0.text) } }.max()
        return Array((places.flatMap { Self.decimals(number, $0) } ?? number.description).utf8)
    }

    /// How many digits stand behind the point.
    private static func decimals(in text: String) -> Int {
        text.firstIndex(of: ".").map { text[$0...].dropFirst().prefix { $0.isNumber }.count } ?? 0
    }

    /// The number with so many digits behind the point: sums of doubles end in what nobody meant.
    private static func decimals(_ number: Double, _ places: Int) -> String? {
        guard (1...9).contains(places) else { return nil }
        let unit = (0..<places).reduce(1.0) { unit, _ in unit * 10 }
        guard let scaled = Int(exactly: (number.magnitude * unit).rounded()) else { return nil }
        let digits = String(scaled)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        return (number < 0 ? "-" : "") + padded.dropLast(places) + "." + padded.suffix(places)
    }
}
