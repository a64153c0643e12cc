import Analytics
import Base
import Identity
import JSON

extension CallFilter {
    /// What may be said of calls that are wanted.
    static let parameters = [
        QueryParameter("model", .line(1...300), "Only calls for it, by whatever name."),
        QueryParameter("provider", .line(1...64), "Only calls for which it was asked."),
        QueryParameter("key", .uuid, "Only those of this key."),
        QueryParameter("user", .uuid, "Only those of this user."),
        QueryParameter("outcome", .choice(of: Outcome.self), "Only what ended so."),
        QueryParameter(
            "tag",
            .string(
                TextRule(
                    2...1000, pattern: TextPattern(#"[^\u0000=]+=[^\u0000]*"#),
                    noun: "a name, = and a value: team=search")),
            "Only what has it: `team=search`."),
    ]

    /// What `parameters` say.
    init(_ query: Fields) {
        self.init()
        model = query.optionalString("model")
        provider = query.optionalString("provider")
        key = query.optionalID("key")
        user = query.optionalID("user")
        outcome = query.optionalChoice("outcome", as: Outcome.self)
        tag = query.optionalString("tag").map { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), String(parts[1]))
        }
    }
}
