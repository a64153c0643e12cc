/// What a client asks of a model that turns texts into vectors.
package struct EmbeddingRequest: Equatable, Sendable {
    /// As the client names it.
    package var model: String
    package var inputs: [Input]
    /// How long the vectors shall be; nil for what the model gives.
    package var dimensions: Int?
    /// How the client wants to read them.
    package var encoding = Encoding.float
    /// Whose request it is, for the provider's watch over abuse.
    package var user: String?
    /// What the texts are for, where a model looks at questions and answers differently.
    package var kind: Kind?

    /// More than this in one request are refused.
    package static let largestInputCount = 2048

    package enum Input: Equatable, Sendable {
        case text(String)
        /// A text in the numbers of its tokens.
        case tokens([Int])
    }

    package enum Encoding: String, CaseIterable, Sendable {
        case float
        /// Of the numbers' 32 bits each, little-endian.
        case base64
    }

    package enum Kind: String, CaseIterable, Sendable {
        case document, query
    }

    package init(model: String, inputs: [Input]) {
        self.model = model
        self.inputs = inputs
    }

    /// The inputs as texts; nil if one is none.
    package var texts: [String]? {
        var texts: [String] = []
        for input in inputs {
            guard case .text(let text) = input else { return nil }
            texts.append(text)
        }
        return texts
    }

    /// For a provider that does not say what it read.
    package var estimatedTokens: Int {
        inputs.reduce(0) { count, input in
            switch input {
            case .text(let text): count + TokenEstimate.tokens(in: text)
            case .tokens(let tokens): count + tokens.count
            }
        }
    }
}
