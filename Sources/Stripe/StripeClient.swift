import Base
package import HTTPClient
import HTTPWire
import JSON
package import Loop

/// Speaks to Stripe, on one loop. Each call is about one object, and gives that object as it then was.
///
/// Whatever changes something takes an idempotency key. Its caller makes it once and keeps it, so that the same call after a
/// crash is the same request: Stripe does it once and answers the same. It forgets keys after a day.
// Confined to its loop.
package final class StripeClient: @unchecked Sendable {
    /// What we were written for: the last version in which a subscription has plans and a period of its own.
    package static let version = "2025-02-24.acacia"
    /// A list of 100 invoices has some 1 MiB.
    static let largestAnswer = 8 * 1024 * 1024
    /// Stripe's own bound.
    static let longestKey = 255

    private let configuration: StripeConfiguration
    private let client: HTTPClient
    private let loop: EventLoop
    private var generator = SystemRandomNumberGenerator()

    package init(_ configuration: StripeConfiguration, _ client: HTTPClient, on loop: EventLoop) {
        self.configuration = configuration
        self.client = client
        self.loop = loop
    }

    // MARK: The four ways to ask

    func fetch<Object: StripeReadable>(
        _ path: String, _ query: StripeForm = [:]
    ) async throws(StripeError) -> Object {
        let query = query.encoded
        return try await send("GET", query.isEmpty ? path : "\(path)?\(query)", nil)
    }

    /// Creates or changes. The same key means the same request, so `form` must be made of the same values then.
    func post<Object: StripeReadable>(
        _ path: String, _ form: StripeForm = [:], key: String
    ) async throws(StripeError) -> Object {
        // Under an empty key it would be done each time.
        guard !key.isEmpty, key.utf8.count <= Self.longestKey else {
            throw .notSent("an idempotency key has 1 to \(Self.longestKey) bytes")
        }
        return try await send("POST", path, form, key: key)
    }

    /// Asks a question that is too long for a URL. Without a key: an answer of before would be a wrong one.
    func ask<Object: StripeReadable>(
        _ path: String, _ form: StripeForm
    ) async throws(StripeError) -> Object {
        try await send("POST", path, form)
    }

    /// Needs no key: what is gone is gone.
    func delete<Object: StripeReadable>(_ path: String) async throws(StripeError) -> Object {
        try await send("DELETE", path, nil)
    }

    /// An identifier as a part of a path. One that is empty, or goes up, would make it the path of something else.
    static func segment(_ identifier: String) throws(StripeError) -> String {
        guard !identifier.allSatisfy({ $0 == "." }) else {
            throw .notSent("\"\(identifier)\" is no identifier")
        }
        return PercentCoding.encode(identifier)
    }

    // MARK: Attempts

    private func send<Object: StripeReadable>(
        _ method: String, _ path: String, _ form: StripeForm?, key: String? = nil
    ) async throws(StripeError) -> Object {
        var fields = [
            ("Authorization", "Bearer \(configuration.secretKey.reveal())"),
            ("Stripe-Version", Self.version), ("Accept", "application/json"),
        ]
        if let key { fields.append(("Idempotency-Key", key)) }
        if form != nil { fields.append(("Content-Type", "application/x-www-form-urlencoded")) }
        let request = HTTPClientRequest(
            method, url: configuration.baseURL + path, fields: fields,
            body: form.map { .bytes(Array($0.encoded.utf8)) } ?? .none, deadlines: configuration.deadlines)
        let answer = try await attempts(request)
        do throws(StripeFault) {
            guard let document = try? JSONDocument(parsing: answer.body) else {
                throw StripeFault("", "is no JSON")
            }
            return try Object(document.root, "")
        } catch {
            throw StripeError(error, of: "\(method) \(path)", requestID: answer.requestID)
        }
    }

    private func attempts(_ request: HTTPClientRequest) async throws(StripeError) -> StripeAnswer {
        var wasOutcomeUnknown = false
        var number = 1
        while true {
            do throws(StripeFailure) {
                return try await attempt(request)
            } catch {
                var failure = error
                if wasOutcomeUnknown, !failure.error.isFinal { failure.error.isOutcomeUnknown = true }
                wasOutcomeUnknown = failure.error.isOutcomeUnknown
                guard let pause = configuration.retry.pause(after: failure, attempt: number, &generator)
                else { throw failure.error }
                do throws(WaitFailure) {
                    try await loop.sleep(for: pause)
                } catch {
                    throw failure.error
                }
                number += 1
            }
        }
    }

    private func attempt(_ request: HTTPClientRequest) async throws(StripeFailure) -> StripeAnswer {
        let answer: StripeAnswer
        do {
            answer = try await client.withResponse(request) { response in
                StripeAnswer(response, body: try await response.body(limit: Self.largestAnswer))
            }
        } catch let error as HTTPClientError {
            throw StripeFailure(StripeError(error))
        } catch {
            throw StripeFailure(.cancelled)
        }
        guard (200..<300).contains(answer.status) else {
            throw StripeFailure(
                StripeError(answer, keeping: configuration.secretKey), advice: answer.isWorthRetrying)
        }
        return answer
    }
}
