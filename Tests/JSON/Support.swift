import Base

@testable import JSON

extension SeededGenerator {
    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}

func parse(_ text: String) throws -> JSONDocument { try JSONDocument(parsing: Array(text.utf8)) }

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

func reason(_ bytes: [UInt8]) -> JSONError? {
    do throws(JSONError) {
        _ = try JSONDocument(parsing: bytes)
        return nil
    } catch {
        return error
    }
}

func reason(_ text: String) -> JSONError? { reason(Array(text.utf8)) }

/// A value to write in many ways.
indirect enum Model: Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case text(String)
    case array([Model])
    case object([String: Model])

    static func random(_ generator: inout SeededGenerator, depth: Int = 0) -> Model {
        switch generator.below(depth > 4 ? 4 : 7) {
        case 0: return .null
        case 1: return .bool(generator.chance(50))
        case 2:
            return .integer(
                generator.chance(30)
                    ? Int.random(in: .min ... .max, using: &generator) : generator.below(2000) - 1000)
        case 3: return .text(randomText(&generator))
        case 4: return .array((0..<generator.below(5)).map { _ in random(&generator, depth: depth + 1) })
        default:
            var members: [String: Model] = [:]
            let count = generator.chance(3) ? 60 : generator.below(6)
            for _ in 0..<count {
                let key = Array(randomText(&generator).unicodeScalars)
                // Swift's strings are equal by canonical equivalence, JSON's keys by code points: keep to the latter.
                let name = String(String.UnicodeScalarView(key.filter { $0.value < 0x300 }))
                members[name] = random(&generator, depth: depth + 1)
            }
            return .object(members)
        }
    }

    static func randomText(_ generator: inout SeededGenerator) -> String {
        let alphabet: [Unicode.Scalar] = [
            "a", "b", "z", "\"", "\\", "/", "\u{0}", "\u{8}", "\n", "\u{1F}", " ", "\u{7F}", "é", "\u{301}",
            "日",
            "\u{FFFF}", "\u{10FFFF}", "😀", "k", "0",
        ]
        var view = String.UnicodeScalarView()
        for _ in 0..<generator.below(generator.chance(10) ? 40 : 6) { view.append(generator.pick(alphabet)) }
        return String(view)
    }

    /// Writes the value with random white space, escapes, member order and spellings of numbers.
    func written(_ generator: inout SeededGenerator) -> String {
        let space = { (generator: inout SeededGenerator) in
            generator.chance(70) ? "" : generator.pick([" ", "\n", "\t", "\r\n ", "  "])
        }
        var body: String
        switch self {
        case .null: body = "null"
        case .bool(let bool): body = "\(bool)"
        case .integer(let integer): body = Self.spell(integer, &generator)
        case .text(let text): body = Self.quote(text, &generator)
        case .array(let elements):
            body =
                "[" + elements.map { $0.written(&generator) }.joined(separator: ",") + space(&generator) + "]"
        case .object(let members):
            let shuffled = Array(members).shuffled(using: &generator)
            body = "{"
            for (index, member) in shuffled.enumerated() {
                body += (index == 0 ? "" : ",") + space(&generator) + Self.quote(member.key, &generator)
                body += space(&generator) + ":" + member.value.written(&generator)
            }
            body += space(&generator) + "}"
        }
        return space(&generator) + body + space(&generator)
    }

    private static func spell(_ integer: Int, _ generator: inout SeededGenerator) -> String {
        switch generator.below(5) {
        case 0: return "\(integer).0"
        case 1 where integer != 0: return "\(integer)00e-2"
        case 2: return "\(integer)E+00"
        case 3 where integer % 10 == 0 && integer != 0: return "\(integer / 10)e1"
        case 3 where integer == 0: return "-0"
        default: return "\(integer)"
        }
    }

    private static func quote(_ text: String, _ generator: inout SeededGenerator) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
            guard mustEscape || generator.chance(20) else {
                quoted.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let hex = String(unit, radix: 16, uppercase: generator.chance(50))
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            }
        }
        return quoted + "\""
    }

    /// What a reader of views sees.
    init(_ value: JSONValue) {
        switch value.kind {
        case .null: self = .null
        case .bool: self = .bool(value.bool ?? false)
        case .number: self = .integer(value.int ?? 0)
        case .string: self = .text(value.string ?? "")
        case .array: self = .array(value.elements.map(Model.init))
        case .object:
            self = .object(
                Dictionary(value.members.map { ($0.key.string, Model($0.value)) }, uniquingKeysWith: { $1 }))
        }
    }

    func write(to json: inout JSONWriter) {
        switch self {
        case .null: json.null()
        case .bool(let bool): json.value(bool)
        case .integer(let integer): json.value(integer)
        case .text(let text): json.value(text)
        case .array(let elements): json.array { json in for element in elements { element.write(to: &json) } }
        case .object(let members):
            json.object { json in
                for (key, value) in members {
                    json.key(dynamic: key)
                    value.write(to: &json)
                }
            }
        }
    }
}
