extension Schema {
    /// What every error of an endpoint looks like.
    static let error = Schema.openObject([
        Field(
            "error",
            .object([
                Field(
                    "type", .freeText,
                    "The kind of error, in the words of the client's dialect: `invalid_request_error`."),
                Field("code", .freeText, "A stable name for programs: `model_not_found`."),
                Field("message", .freeText, "For people: what is wrong, and the way out."),
                Field(
                    "param", .freeText, isNullable: true,
                    "The field that is wrong, the first of several."),
                Field("request_id", .freeText, "Quote it when you report the error."),
                .optional(
                    "retry_after", .integer(0...2_764_800), "In how many seconds it is worth another try."),
                .optional(
                    "limit_source", .string(1...1000),
                    "The limit that was reached: whose, and which, as `organization:requests_per_minute`."),
                .optional(
                    "errors",
                    .array(
                        of: .object([
                            Field("field", .freeText, "Its path: `limits.requests_per_minute`."),
                            Field("message", .freeText, "What is wrong with it."),
                        ]), 1...50), "Everything that is wrong with what was sent."),
            ]), "What went wrong.")
    ]).named("Error").described("An error.")

    /// What is refused before it is a request to an endpoint: by the server itself, which knows no dialect.
    static let refusal = Schema.openObject([
        Field(
            "error",
            .openObject([
                Field("code", .freeText, "A stable name for programs."),
                Field("message", .freeText, "For people: what is wrong."),
            ]), "What went wrong.")
    ]).named("Refusal").described("An error, or what the server refuses before it knows the endpoint.")
}
