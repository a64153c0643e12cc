/// The columns in which usage comes to the database, in the order in which `UsageRow` writes them. Moments are microseconds
/// since 1970, so that nobody reads or writes a date by its words.
///
/// A journal of an older release has lines of older columns: whoever adds one gives its lines another version.
enum UsageColumns {
    static let table = "usage_arrivals"

    /// Of the table that one connection has by itself.
    static let definition: [(name: String, type: String)] = [
        ("id", "uuid"), ("attempt", "smallint"), ("at", "bigint"), ("is_last", "boolean"),
        ("calls", "integer"),
        ("org_id", "uuid"), ("user_id", "uuid"), ("key_id", "uuid"), ("request_id", "text"),
        ("endpoint", "text"), ("asked_model", "text"), ("provider", "text"), ("model", "text"),
        ("is_own_key", "boolean"), ("started", "bigint"), ("latency_us", "bigint"),
        ("first_token_us", "bigint"),
        ("outcome", "text"), ("fault", "text"), ("cache", "text"), ("is_estimated", "boolean"),
        ("input", "bigint"), ("cache_read", "bigint"), ("cache_write", "bigint"),
        ("cache_write_hour", "bigint"),
        ("audio_input", "bigint"), ("image_input", "bigint"), ("output", "bigint"), ("reasoning", "bigint"),
        ("audio_output", "bigint"), ("image_output", "bigint"), ("images", "bigint"),
        ("price_from", "bigint"),
        ("cost_nano", "bigint"), ("commission_nano", "bigint"), ("charge_nano", "bigint"),
        ("saved_nano", "bigint"),
        ("written_off_nano", "bigint"), ("is_prepaid", "boolean"), ("limit_ids", "uuid[]"),
        ("limit_nanos", "bigint[]"),
        ("would_refuse", "uuid"), ("tags", "jsonb"), ("grant_ids", "uuid[]"),
        // Since version 2.
        ("price_override", "uuid"),
    ]

    static let names = definition.map(\.name)
}
