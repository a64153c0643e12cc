import Base
import Catalog
import Chat
import JSON
import Providers

/// What a model must be able to do to answer a request. Found out only as far as some candidate might not be.
struct RequestNeeds {
    private let call: ChatCall

    /// Whether prices must be known.
    private let requiresPrices: Bool

    init(of call: ChatCall, requiresPrices: Bool) {
        self.call = call
        self.requiresPrices = requiresPrices
    }

    /// Those of `candidates` that can answer. Throws where none can: naming what is missing, and who has it.
    func filter(
        _ candidates: [Candidate], others: (CatalogModel.Capability) -> [String]
    ) throws(Problem) -> [Candidate] {
        let candidates = ableToRead(candidates)
        var able: [Candidate] = []
        var first: Problem?
        for candidate in candidates {
            if let problem = obstacle(candidate, others) {
                first = first ?? problem
            } else {
                able.append(candidate)
            }
        }
        if able.isEmpty, let first { throw first }
        return able
    }

    /// What the Responses API says in words that no other dialect has, be it an earlier response, only those understand
    /// who get the request as it is. Where there is none, the first who is asked has all the faults told.
    private func ableToRead(_ candidates: [Candidate]) -> [Candidate] {
        guard candidates.count > 1, call.front.dialect == .openAIResponses else { return candidates }
        let direct = candidates.filter { call.isForwarded(to: $0) }
        if direct.isEmpty || direct.count == candidates.count { return candidates }
        return call.readableRequest == nil ? direct : candidates
    }

    private static let checked: [CatalogModel.Capability] = [.tools, .vision, .jsonSchema, .audio]

    private func obstacle(
        _ candidate: Candidate, _ others: (CatalogModel.Capability) -> [String]
    ) -> Problem? {
        guard let facts = candidate.facts else { return nil }
        for capability in Self.checked {
            guard facts.capabilities?.contains(capability) == false, isNeeded(capability) else { continue }
            let names = others(capability).prefix(5).map { "\"\($0)\"" }.joined(separator: ", ")
            return Problem(
                .invalidRequest, code: "capability_missing",
                "The model \"\(candidate.id)\" has no \(capability.rawValue)."
                    + (names.isEmpty ? "" : " These have it: \(names)."),
                field: "model")
        }
        if requiresPrices, facts.price?.price.rate(of: .audioInput) == nil, isNeeded(.audio) {
            return .unpriced(candidate.id, " for sound")
        }
        return tooLong(for: candidate, facts)
    }

    /// The conversation itself is read only where its bytes hint at it; one that cannot be read is the provider's to
    /// judge.
    private func isNeeded(_ capability: CatalogModel.Capability) -> Bool {
        switch capability {
        case .tools: return call.document["tools"]?.element(0) != nil
        case .jsonSchema:
            guard call.document.bytes.contains("schema") else { return false }
            if case .schema = call.readableRequest?.output { return true }
            return false
        case .vision: return call.document.bytes.contains("image") && shows(.image)
        case .audio: return call.document.bytes.contains("audio") && shows(.audio)
        default: return false
        }
    }

    private func shows(_ kind: ChatMedia.Kind) -> Bool {
        call.readableRequest?.messages.contains { message in
            message.parts.contains { part in
                if case .media(let media) = part.content { media.kind == kind } else { false }
            }
        } ?? false
    }

    /// A token is a byte at least, so that only what has more bytes than the model takes tokens is counted at all.
    private func tooLong(for candidate: Candidate, _ facts: Candidate.Facts) -> Problem? {
        guard let limit = facts.contextTokens, call.document.bytes.count > limit,
            let request = call.readableRequest
        else { return nil }
        let count = TokenEstimate.tokens(in: request.messages) * facts.tokenizerFactor / 1000
        guard count > limit else { return nil }
        return Problem(
            .invalidRequest, code: "context_length_exceeded",
            "The conversation has about \(count) tokens, and \"\(candidate.id)\" takes \(limit). "
                + "Shorten it, or choose a model that takes more.",
            field: "messages")
    }
}
