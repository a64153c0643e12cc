package import JSON

/// What a string must be.
package struct TextRule: Sendable {
    /// In Unicode scalars.
    package let lengths: ClosedRange<Int>
    /// `nil`: any text.
    package let pattern: TextPattern?
    /// JSON Schema's name for it; says nothing that the pattern does not.
    package let format: String?
    /// For people: `an e-mail address`.
    package let noun: String

    package init(
        _ lengths: ClosedRange<Int>, pattern: TextPattern? = nil, format: String? = nil,
        noun: String = "a string"
    ) {
        self.lengths = lengths
        self.pattern = pattern
        self.format = format
        self.noun = noun
    }

    package func takes(_ text: String) -> Bool { fault(of: text) == nil }

    /// What is wrong with `text`.
    func fault(of text: String) -> String? {
        let length = text.unicodeScalars.count
        if length < lengths.lowerBound {
            let isEmpty = lengths.lowerBound == 1
            return isEmpty ? "must not be empty" : "must have at least \(lengths.lowerBound) characters"
        }
        if length > lengths.upperBound { return "must have at most \(lengths.upperBound) characters" }
        guard let pattern, !pattern.matches(text) else { return nil }
        return text.utf8.contains(0) ? "must not contain U+0000" : "must be \(noun)"
    }

    package static func any(_ lengths: ClosedRange<Int>) -> TextRule {
        TextRule(lengths, pattern: notNull)
    }

    package static func line(_ lengths: ClosedRange<Int>) -> TextRule {
        TextRule(lengths, pattern: noControls, noun: "a string without control characters")
    }

    static func secret(_ lengths: ClosedRange<Int>) -> TextRule {
        TextRule(lengths, pattern: notNull, format: "password")
    }

    static let notNull = TextPattern(#"[^\u0000]*"#)
    private static let noControls = TextPattern(#"[^\u0000-\u001F\u007F-\u009F]*"#)

    package static let uuid = TextRule(
        36...36, pattern: TextPattern("[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"), format: "uuid",
        noun: "a UUID")

    /// Words with single dots between them, at a domain. Without JSON Schema's `email`, of which every tool has its own
    /// idea.
    package static let email = TextRule(
        3...254,
        pattern: TextPattern(
            #"\#(word)+(\.\#(word)+)*@\#(label)(\.\#(label))*"#), noun: "an e-mail address")

    private static let word = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]"
    private static let label = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"

    /// Whatever this takes `URLAddress` takes too.
    package static let url = TextRule(
        10...2000,
        pattern: TextPattern(
            #"https?://([A-Za-z0-9._~-]{1,253}|\[(\#(address6))\])(:(\#(port)))?"#
                + #"(/([A-Za-z0-9._~!$&'()*+,;=:@/-]|\#(escape))*)?"#
                + #"(\?([A-Za-z0-9._~!$&'()*+,;=:@/?-]|\#(escape))*)?"#),
        format: "uri", noun: "an http or https URL without user and fragment")

    private static let port =
        "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
    /// One byte but zero.
    private static let escape = "%(0[1-9A-Fa-f]|[1-9A-Fa-f][0-9A-Fa-f])"
    /// As many groups before `::` as there can be, and as many after it as are left.
    private static let address6: String = {
        let group = "[0-9A-Fa-f]{1,4}"
        let some = (1...6).map { "(\(group):){1,\(7 - $0)}(:\(group)){1,\($0)}" }
        return (["(\(group):){7}\(group)", "(\(group):){1,7}:", ":((:\(group)){1,7}|:)"] + some)
            .joined(separator: "|")
    }()

    /// RFC 3339 of the years 1000 to 2999, to the microsecond, leap days and all.
    package static let timestamp = TextRule(
        20...32,
        pattern: TextPattern(
            "([12][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
                + "|02-(0[1-9]|1[0-9]|2[0-8]))"
                + "|([12][0-9](0[48]|[2468][048]|[13579][26])|(12|16|20|24|28)00)-02-29)"
                + #"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"#
                + "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"),
        format: "date-time", noun: "a time as in RFC 3339, for example 2026-11-21T09:30:00Z")
}
