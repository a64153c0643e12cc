package import Chat

/// Vectors that depend on the texts alone: each word points into a few directions, so that texts that share words lie
/// near each other.
package enum SandboxEmbedding {
    package static let usualDimensions = 256
    package static let mostDimensions = 4096
    /// Directions of a word.
    private static let directionCount = 4

    package static func reply(to request: EmbeddingRequest) -> EmbeddingReply {
        let dimensions = min(request.dimensions ?? usualDimensions, mostDimensions)
        return EmbeddingReply(
            vectors: request.inputs.map { vector(of: $0, dimensions) }, inputTokens: request.estimatedTokens)
    }

    private static func vector(of input: EmbeddingRequest.Input, _ dimensions: Int) -> [Float] {
        var vector = [Float](repeating: 0, count: dimensions)
        switch input {
        case .text(let text):
            let words = text.lowercased().split { !$0.isLetter && !$0.isNumber }
            for word in words { add(hash(word.utf8), to: &vector) }
            // A text without words is still a text.
            if words.isEmpty { add(hash(text.utf8), to: &vector) }
        case .tokens(let tokens):
            for token in tokens { add(mixed(UInt64(token) &+ 1), to: &vector) }
        }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / length }
    }

    private static func add(_ hash: UInt64, to vector: inout [Float]) {
        var hash = hash
        for turn in 0..<directionCount {
            hash = mixed(hash &+ UInt64(turn))
            // One sign for all words: what is added never cancels to nothing.
            vector[Int(hash % UInt64(vector.count))] += 1
        }
    }

    /// FNV-1a.
    private static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// The finish of MurmurHash3.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ (value >> 33)) &* 0xff51_afd7_ed55_8ccd
        value = (value ^ (value >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        return value ^ (value >> 33)
    }
}
