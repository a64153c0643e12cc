extension SchemaCompiler {
    /// What would decide whether a value fits, and is not supported.
    private static let unsupported: Set<String> = [
        "unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef", "dependencies",
        "additionalItems",
    ]

    mutating func readKeyword(
        _ keyword: String, _ value: JSONValue, into node: JSONSchemaNode, at pointer: String
    ) {
        switch keyword {
        case "type": node.types = types(value, at: pointer)
        case "enum": if let list = array(value, at: pointer) { node.choices.append(Array(list.elements)) }
        case "const": node.choices.append([value])
        case "$ref":
            guard let reference = text(value, at: pointer) else { return }
            node.reference = target(of: reference, at: pointer)
        case "$defs", "definitions": readDefinitions(value, at: pointer)
        case "$id" where pointer != "/$id":
            fault(pointer, "is supported for the whole schema only")
        case "allOf": node.allOf = list(value, at: pointer)
        case "anyOf": node.anyOf = list(value, at: pointer)
        case "oneOf": node.oneOf = list(value, at: pointer)
        case "not": node.not = self.node(of: value, at: pointer)
        case "if": node.condition = self.node(of: value, at: pointer)
        case "then": node.consequence = self.node(of: value, at: pointer)
        case "else": node.alternative = self.node(of: value, at: pointer)
        case "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf":
            readNumber(keyword, value, into: node, at: pointer)
        case "minLength": node.minimumLength = count(value, at: pointer) ?? 0
        case "maxLength": node.maximumLength = count(value, at: pointer)
        case "pattern":
            if let text = text(value, at: pointer) { node.pattern = pattern(text, at: pointer) }
        case "format": node.format = value.string
        case _ where Self.unsupported.contains(keyword): fault(pointer, "is not supported")
        default:
            readObjectKeyword(keyword, value, into: node, at: pointer)
            readArrayKeyword(keyword, value, into: node, at: pointer)
        }
    }

    private mutating func readObjectKeyword(
        _ keyword: String, _ value: JSONValue, into node: JSONSchemaNode, at pointer: String
    ) {
        switch keyword {
        case "properties":
            for (key, place) in members(value, at: pointer) {
                node.properties[Array(key.utf8)] = place
                node.propertyNames.append(key)
            }
        case "patternProperties":
            for (key, place) in members(value, at: pointer) {
                var inner = pointer
                appendPointer(key, to: &inner)
                if let pattern = pattern(key, at: inner) { node.patternProperties.append((pattern, place)) }
            }
        case "additionalProperties": node.additionalProperties = self.node(of: value, at: pointer)
        case "propertyNames": node.keys = self.node(of: value, at: pointer)
        case "required": node.required = texts(value, at: pointer)
        case "minProperties": node.minimumProperties = count(value, at: pointer) ?? 0
        case "maxProperties": node.maximumProperties = count(value, at: pointer)
        case "dependentRequired":
            guard let value = object(value, at: pointer) else { return }
            for member in value.members {
                var inner = pointer
                appendPointer(member.key.string, to: &inner)
                node.dependentRequired.append((member.key.string, texts(member.value, at: inner)))
            }
        case "dependentSchemas":
            node.dependentSchemas = members(value, at: pointer).map { ($0.key, $0.place) }
        default: return
        }
    }

    private mutating func readArrayKeyword(
        _ keyword: String, _ value: JSONValue, into node: JSONSchemaNode, at pointer: String
    ) {
        switch keyword {
        case "prefixItems": node.prefixItems = list(value, at: pointer)
        case "items":
            if value.kind == .array {
                return fault(pointer, "must be one schema; a list of them is called prefixItems")
            }
            node.items = self.node(of: value, at: pointer)
        case "minItems": node.minimumItems = count(value, at: pointer) ?? 0
        case "maxItems": node.maximumItems = count(value, at: pointer)
        case "uniqueItems":
            guard let flag = value.bool else { return fault(pointer, "must be true or false") }
            node.hasUniqueItems = flag
        case "contains": node.contains = self.node(of: value, at: pointer)
        case "minContains": node.minimumContains = count(value, at: pointer) ?? 1
        case "maxContains": node.maximumContains = count(value, at: pointer)
        default: return
        }
    }

    private mutating func readNumber(
        _ keyword: String, _ value: JSONValue, into node: JSONSchemaNode, at pointer: String
    ) {
        guard let text = value.number else { return fault(pointer, "must be a number") }
        let number = JSONSchemaNode.Number(text: text, value: DecimalNumber(text))
        if keyword == "multipleOf" {
            guard number.value.isPositive else { return fault(pointer, "must be more than 0") }
            guard number.value.isDivisor else {
                return fault(
                    pointer, "must have at most \(DecimalNumber.largestDivisorDigits) significant digits")
            }
            node.divisor = number
            return
        }
        let bound = JSONSchemaNode.Bound(number: number, isExclusive: keyword.hasPrefix("exclusive"))
        if keyword.hasSuffix("inimum") {
            node.minimum = Self.narrower(node.minimum, bound) { $0 > $1 }
        } else {
            node.maximum = Self.narrower(node.maximum, bound) { $0 < $1 }
        }
    }

    /// A schema may have a bound with its end and one without.
    private static func narrower(
        _ one: JSONSchemaNode.Bound?, _ other: JSONSchemaNode.Bound,
        _ isNarrower: (DecimalNumber, DecimalNumber) -> Bool
    ) -> JSONSchemaNode.Bound {
        guard let one else { return other }
        if one.number.value == other.number.value { return one.isExclusive ? one : other }
        return isNarrower(one.number.value, other.number.value) ? one : other
    }

    // MARK: Values

    private mutating func types(_ value: JSONValue, at pointer: String) -> JSONSchemaNode.Types? {
        let names = value.kind == .array ? value.elements.map(\.string) : [value.string]
        let types = names.map { $0.flatMap { JSONSchemaNode.Types(name: $0) } }
        if !types.isEmpty, !types.contains(where: { $0 == nil }) {
            return JSONSchemaNode.Types(types.compactMap { $0 })
        }
        let known = JSONSchemaNode.Types.names.map { "\"\($0.name)\"" }.joined(separator: ", ")
        fault(pointer, "must be one of \(known), or a list of them")
        return nil
    }

    /// Definitions are schemas even where nobody refers to them.
    private mutating func readDefinitions(_ value: JSONValue, at pointer: String) {
        _ = members(value, at: pointer)
    }

    private mutating func members(_ value: JSONValue, at pointer: String) -> [(key: String, place: Int)] {
        guard let value = object(value, at: pointer) else { return [] }
        var found: [(key: String, place: Int)] = []
        for member in value.members {
            let key = member.key.string
            var inner = pointer
            appendPointer(key, to: &inner)
            found.append((key, node(of: member.value, at: inner)))
        }
        return found
    }

    private mutating func list(_ value: JSONValue, at pointer: String) -> [Int] {
        guard let value = array(value, at: pointer) else { return [] }
        let list = value.elements.enumerated().map { index, element in (element, "\(pointer)/\(index)") }
        if list.isEmpty { fault(pointer, "must not be empty") }
        var places: [Int] = []
        for (element, inner) in list { places.append(node(of: element, at: inner)) }
        return places
    }

    private mutating func object(_ value: JSONValue, at pointer: String) -> JSONValue? {
        if value.kind == .object { return value }
        fault(pointer, "must be an object")
        return nil
    }

    private mutating func array(_ value: JSONValue, at pointer: String) -> JSONValue? {
        if value.kind == .array { return value }
        fault(pointer, "must be a list")
        return nil
    }

    private mutating func text(_ value: JSONValue, at pointer: String) -> String? {
        if let text = value.string { return text }
        fault(pointer, "must be a string")
        return nil
    }

    private mutating func texts(_ value: JSONValue, at pointer: String) -> [String] {
        let texts = value.elements.map(\.string)
        if value.kind == .array, !texts.contains(nil) { return texts.compactMap { $0 } }
        fault(pointer, "must be a list of strings")
        return []
    }

    private mutating func count(_ value: JSONValue, at pointer: String) -> Int? {
        if let count = value.int, count >= 0 { return count }
        fault(pointer, "must be a whole number that is not negative")
        return nil
    }

    private mutating func pattern(_ text: String, at pointer: String) -> TextPattern? {
        do throws(TextPattern.Fault) { return try TextPattern(searching: text) } catch {
            fault(pointer, error.reason)
            return nil
        }
    }
}
