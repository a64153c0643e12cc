import Base
import HTTPClient
import JSON

/// Why Stripe did not do what it was asked to, or did not say.
package struct StripeError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    package let kind: Kind
    package let status: Int?
    /// Stripe's words for it: `card_error`, `resource_missing`, `insufficient_funds`.
    package let type: String?
    package let code: String?
    package let declineCode: String?
    /// The parameter that Stripe objects to.
    package let parameter: String?
    /// What Stripe says to whoever pays. Its messages about cards are made to be shown; no others are.
    package let customerMessage: String?
    /// For the log only: it may name our identifiers, and a part of our key.
    package let detail: String
    /// A payment intent that was made, and whose payment failed.
    package let paymentIntent: String?
    /// What Stripe's own log has the request under.
    package let requestID: String?
    /// How long Stripe wants us to wait.
    package let retryAfter: Duration?
    /// Whether Stripe may have done it all the same: ask again with the same key, or look at the object.
    package internal(set) var isOutcomeUnknown: Bool

    package enum Kind: String, Sendable {
        /// The card or the bank says no.
        case card
        case refused, notFound, unauthorized
        /// The key of a request with other parameters.
        case keyReused
        /// Somebody else changes the object, or asks with the same key.
        case conflict
        case rateLimited, unavailable
        /// There is no (whole) answer.
        case unreachable
        /// The answer is not what it should be.
        case unreadable
        /// The request did not leave this house.
        case notSent
        case cancelled
    }

    /// Safe to show to anyone.
    package var description: String {
        let reason =
            switch kind {
            case .card: "the payment was declined"
            case .refused: "Stripe refuses the request"
            case .notFound: "Stripe does not know the object"
            case .unauthorized: "Stripe does not accept our key"
            case .keyReused: "the idempotency key was used for another request"
            case .conflict: "another request is changing the same object"
            case .rateLimited: "Stripe has too many requests of ours"
            case .unavailable: "Stripe cannot do it now"
            case .unreachable: "Stripe cannot be reached, or did not answer"
            case .unreadable: "Stripe's answer cannot be read"
            case .notSent: "the request to Stripe was not sent"
            case .cancelled: "the request was cancelled"
            }
        let words = [declineCode ?? code, requestID].compactMap(\.self)
        return words.isEmpty ? reason : "\(reason) (\(words.joined(separator: ", ")))"
    }

    package var debugDescription: String { detail.isEmpty ? description : "\(description): \(detail)" }

    private init(_ kind: Kind, detail: String, requestID: String? = nil, isOutcomeUnknown: Bool) {
        self.kind = kind
        self.detail = detail
        self.requestID = requestID
        self.isOutcomeUnknown = isOutcomeUnknown
        (status, type, code, declineCode, parameter) = (nil, nil, nil, nil, nil)
        (customerMessage, paymentIntent, retryAfter) = (nil, nil, nil)
    }
}

// MARK: Where it comes from
extension StripeError {
    static func notSent(_ detail: String) -> StripeError {
        StripeError(.notSent, detail: detail, isOutcomeUnknown: false)
    }

    static let cancelled = StripeError(.cancelled, detail: "", isOutcomeUnknown: true)

    /// What was done cannot be told from this answer.
    init(_ fault: StripeFault, of object: String, requestID: String?) {
        self.init(
            .unreadable, detail: "\(object): \(fault)", requestID: requestID, isOutcomeUnknown: true)
    }

    init(_ error: HTTPClientError) {
        let kind: Kind =
            switch error.kind {
            case .cancelled: .cancelled
            case .invalidRequest, .tooManyTransfers, .addressRefused, .certificate: .notSent
            case .tooLarge: .unreadable
            default: .unreachable
            }
        self.init(kind, detail: error.debugDescription, isOutcomeUnknown: error.mayHaveExecuted)
    }

    /// An answer that is no success. Whatever its body is, there is an error.
    init(_ answer: StripeAnswer, keeping secretKey: Secret) {
        let told = (try? JSONDocument(parsing: answer.body))?["error"]
        type = told?["type"]?.string
        code = told?["code"]?.string
        declineCode = told?["decline_code"]?.string
        parameter = told?["param"]?.string
        paymentIntent = told?["payment_intent"]?["id"]?.string
        let message = told?["message"]?.string
        customerMessage = type == "card_error" ? message : nil
        let isOfKey = message?.contains(secretKey.reveal()) == true
        detail = isOfKey ? "a message with our key in it" : message ?? "status \(answer.status)"
        status = answer.status
        requestID = answer.requestID
        retryAfter = answer.retryAfter
        kind = Self.kind(answer.status, type)
        // A key that is in use is that of a request which is being done; a server that fails may have done it before.
        isOutcomeUnknown = kind == .conflict || kind == .unavailable || kind == .unreadable
    }

    private static func kind(_ status: Int, _ type: String?) -> Kind {
        switch (status, type) {
        case (409, _): .conflict
        case (429, _): .rateLimited
        case (_, "card_error"): .card
        case (_, "idempotency_error"): .keyReused
        case (401, _), (403, _): .unauthorized
        case (404, _): .notFound
        case (402, _): .card
        case (400..<500, _): .refused
        case (500..., _): .unavailable
        default: .unreadable
        }
    }

    /// Whether the answer is about this request alone, so that what earlier attempts of it may have done is known, too: with
    /// the same key they would have been answered the same.
    var isFinal: Bool {
        switch kind {
        case .card, .refused, .notFound, .keyReused: true
        default: false
        }
    }
}
