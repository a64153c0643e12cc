package import Base
import Postgres

/// A call that is in the books, with its requests to providers.
package struct UsedCall: Sendable {
    package let id: UUID
    package let requestID: String
    /// When it ended.
    package let at: Timestamp
    package let endpoint: String
    /// As the client named it.
    package let askedModel: String
    package let user: UUID
    package let key: UUID
    /// How it ended, which is how its last attempt did.
    package let outcome: String
    package let cache: String?
    /// How many calls it stands for: kept answers of the same moment share one.
    package let calls: Int32
    /// A JSON object of texts.
    package let tags: String?
    /// None where nobody was asked.
    package fileprivate(set) var attempts: [Attempt]
    package fileprivate(set) var charge: Int64
    package fileprivate(set) var saved: Int64

    package struct Attempt: Sendable {
        package let number: Int16
        package let provider: String
        package let model: String
        package let isOwnKey: Bool
        package let started: Timestamp
        /// In microseconds.
        package let latency: Int64
        package let firstToken: Int64?
        package let outcome: String
        package let fault: String?
        package let input: Int64
        package let cachedInput: Int64
        package let output: Int64
        package let images: Int64
        /// In nano-dollars; nil where a price is not known.
        package let cost: Int64?
        package let commission: Int64
        package let charge: Int64
    }

    /// From rows in the order of calls, and of attempts within; the last of a call says what the whole was.
    static func calls(_ rows: PostgresRows) throws -> [UsedCall] {
        var calls: [UsedCall] = []
        var attempts: [Attempt] = []
        var (charge, saved) = (Int64(0), Int64(0))
        for row in rows {
            let attempt = try Attempt(row)
            if attempt.number > 0 { attempts.append(attempt) }
            charge += attempt.charge
            saved += try row.decode(Int64.self, "saved_nano")
            guard try row.decode(Bool.self, "is_last") else { continue }
            var call = try UsedCall(row)
            (call.attempts, call.charge, call.saved) = (attempts, charge, saved)
            calls.append(call)
            (attempts, charge, saved) = ([], 0, 0)
        }
        return calls
    }

    static let columns: SQL = """
        id, request_id, at, endpoint, asked_model, user_id, key_id, outcome, cache, calls, tags::text AS tags, is_last,
        saved_nano, attempt, provider, model, is_own_key, started, latency_us, first_token_us, fault,
        input + cache_read + cache_write + cache_write_hour + audio_input + image_input AS input,
        cache_read AS cached_input, output + reasoning + audio_output + image_output AS output, images, cost_nano,
        commission_nano, charge_nano
        """

    private init(_ row: PostgresRow) throws {
        id = try row.decode(UUID.self, "id")
        requestID = try row.decode(String.self, "request_id")
        at = try row.decode(Timestamp.self, "at")
        endpoint = try row.decode(String.self, "endpoint")
        askedModel = try row.decode(String.self, "asked_model")
        user = try row.decode(UUID.self, "user_id")
        key = try row.decode(UUID.self, "key_id")
        outcome = try row.decode(String.self, "outcome")
        cache = try row.decode(String?.self, "cache")
        calls = try row.decode(Int32.self, "calls")
        tags = try row.decode(String?.self, "tags")
        (attempts, charge, saved) = ([], 0, 0)
    }
}

extension UsedCall.Attempt {
    fileprivate init(_ row: PostgresRow) throws {
        number = try row.decode(Int16.self, "attempt")
        provider = try row.decode(String.self, "provider")
        model = try row.decode(String.self, "model")
        isOwnKey = try row.decode(Bool.self, "is_own_key")
        started = try row.decode(Timestamp.self, "started")
        latency = try row.decode(Int64.self, "latency_us")
        firstToken = try row.decode(Int64?.self, "first_token_us")
        outcome = try row.decode(String.self, "outcome")
        fault = try row.decode(String?.self, "fault")
        input = try row.decode(Int64.self, "input")
        cachedInput = try row.decode(Int64.self, "cached_input")
        output = try row.decode(Int64.self, "output")
        images = try row.decode(Int64.self, "images")
        cost = try row.decode(Int64?.self, "cost_nano")
        commission = try row.decode(Int64.self, "commission_nano")
        charge = try row.decode(Int64.self, "charge_nano")
    }
}
