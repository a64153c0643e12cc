package import Chat
import JSON

/// What an upstream says instead of an answer, or what is wrong with what it says.
package struct UpstreamFault: Error, Equatable, Sendable {
    package var kind: Kind
    /// The status of the answer; nil for what came in the middle of a stream.
    package var status: Int?
    /// In the provider's words, cut to `longestMessage`. Clients see it where the fault is theirs.
    package var message: String
    /// The provider's own name of it.
    package var code: String?
    /// The field at fault, as the provider spells it.
    package var field: String?
    /// What was used up nevertheless, where the provider says.
    package var usage: ChatUsage?

    package enum Kind: String, CaseIterable, Sendable {
        // The request's.
        case invalidRequest, contextTooLong, notFound, tooLarge, contentRefused
        // Our account's.
        case unauthenticated, unpaid, forbidden
        // The moment's.
        case rateLimited, overloaded, timedOut
        /// The provider's.
        case failed
        /// What it says is not what its format allows.
        case garbled
    }

    package static let longestMessage = 2000

    package init(
        _ kind: Kind, status: Int? = nil, _ message: String, code: String? = nil, field: String? = nil,
        usage: ChatUsage? = nil
    ) {
        self.kind = kind
        self.status = status
        self.message = String(message.prefix(Self.longestMessage))
        self.code = code
        self.field = field
        self.usage = usage
    }

    package static func garbled(_ reason: String, usage: ChatUsage? = nil) -> UpstreamFault {
        UpstreamFault(.garbled, reason, usage: usage)
    }

    /// What a status alone says.
    package static func kind(ofStatus status: Int) -> Kind {
        switch status {
        case 401: .unauthenticated
        case 402: .unpaid
        case 403: .forbidden
        case 404: .notFound
        case 408, 504: .timedOut
        case 413: .tooLarge
        case 429: .rateLimited
        case 503, 529: .overloaded
        case 400..<500: .invalidRequest
        default: .failed
        }
    }
}

extension JSONDocument {
    /// What an upstream sent, which is garbled where it is no JSON.
    init(upstream bytes: [UInt8]) throws(UpstreamFault) {
        do throws(JSONError) { self = try JSONDocument(parsing: bytes) } catch {
            throw .garbled("not valid JSON: \(error)")
        }
    }
}
