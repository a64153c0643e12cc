import Admission
import Base
import Chat
import JSON
import Providers

/// The most tokens that requests can take: they are reserved before anybody is asked.
// Confined to its loop.
final class TokenBound: @unchecked Sendable {
    /// What a request is let answer at least, where it says nothing itself and little is left.
    private static let smallestAnswer = 256
    /// What a model can answer whose limit is not known.
    private static let usualAnswer = 4096
    /// Where a request does not say how much it wants, it gets a part of what is left, and others find the rest.
    private static let share = 4
    /// What an image, a sound or a file is read as, at most.
    private static let perMedium = 3000
    /// Models whose ratios are remembered.
    private static let largestTable = 1000

    /// Whether a byte counts as a token.
    private let isStrict: Bool
    private var ratios = ClockTable<String, InputRatio>(capacity: largestTable)

    init(isStrict: Bool) { self.isStrict = isStrict }

    struct Bound {
        var tokens: Int64
        /// What the answer is limited to, because the client has not said.
        var answer: Int?
    }

    /// - Parameter room: how many are left of the limits, as far as is known.
    func bound(of call: ChatCall, _ candidate: Candidate, room: Int?) throws(Problem) -> Bound {
        let request = try call.request()
        let media = request.media
        let bytes = Self.textBytes(of: call, media)
        call.attempts.requestBytes = media.isEmpty ? bytes : nil
        let input = tokens(in: bytes, candidate) + media.count * Self.perMedium
        // Who may be asked once more is.
        let rounds = call.check?.mayRepair ?? false ? 2 : 1
        if let wanted = request.sampling.maximumTokens {
            let most = input + wanted * request.choiceCount
            return Bound(tokens: Int64(most * rounds))
        }
        let most = candidate.target.maximumOutput ?? Self.usualAnswer
        var answer = most
        if let room {
            let share = (room / rounds - input) / Self.share / request.choiceCount
            answer = min(most, max(Self.smallestAnswer, share))
        }
        return Bound(tokens: Int64((input + answer * request.choiceCount) * rounds), answer: answer)
    }

    /// Of vectors and images: all is input.
    func tokens(in bytes: Int, _ candidate: Candidate) -> Int {
        if isStrict { return bytes + InputRatio.overhead }
        return (ratios.value(for: candidate.id) ?? InputRatio()).tokens(in: bytes)
    }

    /// What a provider has counted.
    func learn(bytes: Int, _ usage: ChatUsage, of candidate: Candidate) {
        guard !usage.isEstimated else { return }
        var ratio = ratios.value(for: candidate.id) ?? InputRatio()
        ratio.learn(bytes: bytes, tokens: usage.totalInput)
        ratios.set(ratio, for: candidate.id)
    }

    /// Media are no text.
    private static func textBytes(of call: ChatCall, _ media: [ChatMedia]) -> Int {
        media.reduce(call.document.bytes.count) { count, medium in
            if case .base64(let data) = medium.source { max(0, count - data.utf8.count) } else { count }
        }
    }
}

extension ChatRequest {
    /// Those in results of tools included.
    fileprivate var media: [ChatMedia] {
        messages.flatMap { $0.parts.flatMap(\.media) }
    }
}

extension ChatPart {
    fileprivate var media: [ChatMedia] {
        switch content {
        case .media(let medium): [medium]
        case .toolResult(let result): result.parts.flatMap(\.media)
        default: []
        }
    }
}
