/// Walks over a value and notes what is wrong with it.
struct SchemaCheck {
    /// Schemas and values together nest no deeper than this.
    private static let deepest = 300
    private static let longestChoices = 200

    private let nodes: [JSONSchemaNode]
    private(set) var faults: [JSONSchema.Fault] = []
    private var path: [String] = []
    private var depth = 0
    private var stepsLeft = JSONSchema.largestStepCount
    /// Above 0, nothing is noted: what is tried may fail.
    private var trials = 0
    private var isExhausted = false

    init(_ nodes: [JSONSchemaNode]) { self.nodes = nodes }

    mutating func run(_ value: JSONValue, _ node: Int) {
        if !fits(value, node), !isExhausted, faults.isEmpty { fault("does not fit") }
        guard isExhausted else { return }
        faults.append(
            JSONSchema.Fault(
                "", "is too much to be checked: more than \(JSONSchema.largestStepCount) steps, or too deep"))
    }

    // MARK: Walking

    private mutating func fault(_ message: @autoclosure () -> String) {
        guard trials == 0, faults.count < JSONSchema.largestFaultCount else { return }
        var pointer = ""
        for step in path { appendPointer(step, to: &pointer) }
        faults.append(.init(pointer, message()))
    }

    /// Notes the fault, and is false.
    private mutating func fails(_ message: @autoclosure () -> String) -> Bool {
        fault(message())
        return false
    }

    private mutating func spend(_ steps: Int) -> Bool {
        stepsLeft -= steps
        if stepsLeft <= 0 { isExhausted = true }
        return !isExhausted
    }

    private mutating func fits(_ value: JSONValue, _ place: Int) -> Bool {
        guard spend(1), depth < Self.deepest else {
            isExhausted = true
            return false
        }
        depth += 1
        defer { depth -= 1 }
        let node = nodes[place]
        if node.isNever { return fails("must not be there") }
        if let types = node.types, !types.takes(value) { return fails("must be \(types.noun)") }
        // Everything is said that is wrong, so that it can be mended at once.
        var fits = fitsChoices(value, node)
        switch value.kind {
        case .number: fits = fitsNumber(value, node) && fits
        case .string: fits = fitsText(value, node) && fits
        case .object: fits = fitsObject(value, node) && fits
        case .array: fits = fitsArray(value, node) && fits
        case .bool, .null: break
        }
        return fitsNested(value, node) && fits
    }

    /// Whether it fits, with nothing noted.
    private mutating func tries(_ value: JSONValue, _ place: Int) -> Bool {
        trials += 1
        defer { trials -= 1 }
        return fits(value, place)
    }

    private mutating func fits(
        _ value: JSONValue, _ place: Int, under key: @autoclosure () -> String
    ) -> Bool {
        path.append(trials == 0 ? key() : "")
        defer { path.removeLast() }
        return fits(value, place)
    }

    // MARK: Schemas about the same value

    private mutating func fitsNested(_ value: JSONValue, _ node: JSONSchemaNode) -> Bool {
        var fits = true
        if let reference = node.reference { fits = self.fits(value, reference) }
        for place in node.allOf { fits = self.fits(value, place) && fits }
        if !node.anyOf.isEmpty { fits = fitsAny(value, node.anyOf) && fits }
        if !node.oneOf.isEmpty { fits = fitsOne(value, node.oneOf) && fits }
        if let not = node.not, tries(value, not) { fits = fails("must not fit the schema under \"not\"") }
        if let condition = node.condition {
            let branch = tries(value, condition) ? node.consequence : node.alternative
            if let branch { fits = self.fits(value, branch) && fits }
        }
        for (key, place) in node.dependentSchemas where value.member(key) != nil {
            fits = self.fits(value, place) && fits
        }
        return fits && !isExhausted
    }

    private mutating func fitsAny(_ value: JSONValue, _ places: [Int]) -> Bool {
        for place in places where tries(value, place) { return true }
        return noneFits(value, places)
    }

    /// Where only one alternative is for values of this kind, what it misses is what is wrong.
    private mutating func noneFits(_ value: JSONValue, _ places: [Int]) -> Bool {
        if trials > 0 || isExhausted { return false }
        let alike = places.filter { nodes[resolved($0)].types?.takes(value) ?? true }
        if alike.count == 1 { return fits(value, alike[0]) }
        return fails("must fit one of \(places.count) schemas and fits none")
    }

    private func resolved(_ place: Int) -> Int {
        var place = place
        for _ in 0..<JSONSchema.deepestNesting {
            guard nodes[place].types == nil, let next = nodes[place].reference else { break }
            place = next
        }
        return place
    }

    private mutating func fitsOne(_ value: JSONValue, _ places: [Int]) -> Bool {
        var count = 0
        for place in places where tries(value, place) { count += 1 }
        if count == 1 { return true }
        if count == 0 { return noneFits(value, places) }
        return fails("must fit one of \(places.count) schemas only and fits \(count)")
    }

    // MARK: Scalars

    private mutating func fitsChoices(_ value: JSONValue, _ node: JSONSchemaNode) -> Bool {
        if node.choices.isEmpty { return true }
        let canonical = value.canonical()
        guard spend(canonical.count / 16 + 1) else { return false }
        for (choices, known) in zip(node.choices, node.canonicalChoices) where !known.contains(canonical) {
            return fails(Self.wanted(choices))
        }
        return true
    }

    private static func wanted(_ choices: [JSONValue]) -> String {
        if choices.isEmpty { return "must be one of nothing" }
        var text = choices.count == 1 ? "must be " : "must be one of "
        for (index, choice) in choices.enumerated() {
            if index > 0 { text += ", " }
            if text.utf8.count + choice.bytes.count > longestChoices { return text + "…" }
            text += String(decoding: choice.bytes, as: UTF8.self)
        }
        return text
    }

    private mutating func fitsNumber(_ value: JSONValue, _ node: JSONSchemaNode) -> Bool {
        guard node.minimum != nil || node.maximum != nil || node.divisor != nil,
            let text = value.number, spend(text.utf8.count / 16)
        else { return true }
        let number = DecimalNumber(text)
        var fits = true
        if let minimum = node.minimum {
            let bound = minimum.number.value
            if minimum.isExclusive ? number <= bound : number < bound {
                fits = fails(
                    "must be \(minimum.isExclusive ? "more than" : "at least") \(minimum.number.text)")
            }
        }
        if let maximum = node.maximum {
            let bound = maximum.number.value
            if maximum.isExclusive ? number >= bound : number > bound {
                fits = fails(
                    "must be \(maximum.isExclusive ? "less than" : "at most") \(maximum.number.text)")
            }
        }
        if let divisor = node.divisor, !number.isMultiple(of: divisor.value) {
            fits = fails("must be a multiple of \(divisor.text)")
        }
        return fits
    }

    private mutating func fitsText(_ value: JSONValue, _ node: JSONSchemaNode) -> Bool {
        guard node.minimumLength > 0 || node.maximumLength != nil || node.pattern != nil,
            let text = value.string, spend(text.utf8.count / 16)
        else { return true }
        var fits = true
        let count = text.unicodeScalars.count
        if count < node.minimumLength {
            fits = fails("must have at least \(node.minimumLength) characters")
        }
        if let most = node.maximumLength, count > most {
            fits = fails("must have at most \(most) characters")
        }
        if let pattern = node.pattern, !matches(text, pattern) {
            fits = fails("must match \(pattern.source.prefix(Self.longestChoices))")
        }
        return fits
    }

    private mutating func matches(_ text: String, _ pattern: TextPattern) -> Bool {
        let matches = pattern.matches(text, budget: &stepsLeft)
        return spend(0) && matches
    }

    // MARK: Objects

    private mutating func fitsObject(_ value: JSONValue, _ node: JSONSchemaNode) -> Bool {
        var fits = true
        var keys: Set<[UInt8]> = []
        for member in value.members {
            let key = member.key.string
            guard spend(1) else { return false }
            let bytes = Array(key.utf8)
            keys.insert(bytes)
            fits = fitsMember(key, bytes, member.value, node) && fits
            if isExhausted { return false }
        }
        for key in node.required where !keys.contains(Array(key.utf8)) {
            path.append(key)
            fits = fails("is required")
            path.removeLast()
        }
        for (key, required) in node.dependentRequired where keys.contains(Array(key.utf8)) {
            for name in required where !keys.contains(Array(name.utf8)) {
                path.append(name)
                fits = fails("is required beside \"\(key.prefix(64))\"")
                path.removeLast()
            }
        }
        if keys.count < node.minimumProperties {
            fits = fails("must have at least \(node.minimumProperties) properties")
        }
        if let most = node.maximumProperties, keys.count > most {
            fits = fails("must have at most \(most) properties")
        }
        return fits && spend(node.required.count)
    }

    private mutating func fitsMember(
        _ key: String, _ bytes: [UInt8], _ value: JSONValue, _ node: JSONSchemaNode
    ) -> Bool {
        var fits = true
        var isKnown = false
        if let place = node.properties[bytes] {
            isKnown = true
            fits = self.fits(value, place, under: key)
        }
        for (pattern, place) in node.patternProperties where matches(key, pattern) {
            isKnown = true
            fits = self.fits(value, place, under: key) && fits
        }
        if !isKnown, let place = node.additionalProperties {
            if nodes[place].isNever {
                path.append(key)
                fits = fails("is not known here")
                path.removeLast()
            } else {
                fits = self.fits(value, place, under: key) && fits
            }
        }
        if let place = node.keys { fits = fitsKey(key, place) && fits }
        return fits
    }

    /// Keys are checked as the strings that they are.
    private mutating func fitsKey(_ key: String, _ place: Int) -> Bool {
        var json = JSONWriter()
        json.value(key)
        guard spend(key.utf8.count / 16), let document = try? JSONDocument(parsing: json.bytes) else {
            return false
        }
        if tries(document.root, place) { return true }
        path.append(key)
        defer { path.removeLast() }
        return fails("is not a name that is taken here")
    }

    // MARK: Arrays

    private mutating func fitsArray(_ value: JSONValue, _ node: JSONSchemaNode) -> Bool {
        var fits = true
        var count = 0
        var found = 0
        var seen: Set<[UInt8]> = []
        for element in value.elements {
            guard spend(1) else { return false }
            let place = count < node.prefixItems.count ? node.prefixItems[count] : node.items
            if let place { fits = self.fits(element, place, under: "\(count)") && fits }
            if let contained = node.contains, tries(element, contained) { found += 1 }
            if node.hasUniqueItems {
                let canonical = element.canonical()
                guard spend(canonical.count / 16) else { return false }
                if !seen.insert(canonical).inserted {
                    path.append("\(count)")
                    fits = fails("is in the list already")
                    path.removeLast()
                }
            }
            count += 1
            if isExhausted { return false }
        }
        if count < node.minimumItems { fits = fails("must have at least \(node.minimumItems) elements") }
        if let most = node.maximumItems, count > most { fits = fails("must have at most \(most) elements") }
        if node.contains != nil {
            if found < node.minimumContains {
                fits = fails("must contain at least \(node.minimumContains) elements of a certain kind")
            }
            if let most = node.maximumContains, found > most {
                fits = fails("must contain at most \(most) elements of a certain kind")
            }
        }
        return fits
    }
}
