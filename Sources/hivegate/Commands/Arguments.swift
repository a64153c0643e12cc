import Base

/// A command's arguments: words, options with a value, and flags without one.
struct Arguments {
    private(set) var words: [String] = []
    private var options: [String: [String]] = [:]
    private var flags: Set<String> = []

    /// `known` and `flags` are the options that there are, with their dashes.
    init(
        _ arguments: [String], options known: Set<String> = [], flags knownFlags: Set<String> = []
    ) throws(Command.Misuse) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--") else {
                words.append(argument)
                continue
            }
            if knownFlags.contains(argument) {
                flags.insert(argument)
                continue
            }
            guard known.contains(argument) else { throw Command.Misuse(reason: "unknown option \(argument)") }
            guard let value = rest.popFirst() else {
                throw Command.Misuse(reason: "\(argument) needs a value")
            }
            options[argument, default: []].append(value)
        }
    }

    func has(_ flag: String) -> Bool { flags.contains(flag) }

    func values(_ option: String) -> [String] { options[option] ?? [] }

    func optional(_ option: String) throws(Command.Misuse) -> String? {
        guard values(option).count < 2 else { throw Command.Misuse(reason: "\(option) is given twice") }
        return values(option).first
    }

    func required(_ option: String) throws(Command.Misuse) -> String {
        guard let value = try optional(option) else { throw Command.Misuse(reason: "\(option) is missing") }
        return value
    }

    /// The words behind the verb, which must be `count`.
    func operands(_ count: Int) throws(Command.Misuse) -> ArraySlice<String> {
        guard words.count == count + 1 else {
            throw Command.Misuse(reason: "\(words[0]) takes \(count == 0 ? "nothing" : "\(count) more")")
        }
        return words.dropFirst()
    }

    /// The one word behind the verb.
    func operand() throws(Command.Misuse) -> String {
        guard let operand = try operands(1).first else { throw Command.Misuse(reason: "a word is missing") }
        return operand
    }

    static func identifier(_ text: String) throws(Command.Misuse) -> UUID {
        guard let identifier = UUID(text) else { throw Command.Misuse(reason: "\"\(text)\" is no UUID") }
        return identifier
    }

    static func email(_ text: String) throws(Command.Misuse) -> String {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), text.utf8.count <= 254 else {
            throw Command.Misuse(reason: "\"\(text)\" is no e-mail address")
        }
        return text.lowercased()
    }
}
