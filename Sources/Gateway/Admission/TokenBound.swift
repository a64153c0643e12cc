import Admission
import Base
import Chat
import JSON
import Providers

/// The most tokens that requests can take: they are reserved before anybody is asked.
// Confined to its loop.
final class TokenBound: @unchecked Sendable {
    /// What a request is let answer at least, where it says nothing itself and little is left.
    static let smallestAnswer = 256
    /// Where a request does not say how much it wants, it gets a part of what is left, and others find the rest.
    private static let share = 4
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
        let extent = try extent(of: call, candidate)
        let (input, rounds, choices) = (extent.input, extent.rounds, extent.choices)
        if let wanted = extent.wanted {
            return Bound(tokens: Int64((input + wanted * choices) * rounds))
        }
        var answer = extent.answer
        if let room {
            let share = (room / rounds - input) / Self.share / choices
            answer = min(answer, max(Self.smallestAnswer, share))
        }
        return Bound(tokens: Int64((input + answer * choices) * rounds), answer: answer)
    }

    /// How much of it there is, for all that bounds it.
    func extent(of call: ChatCall, _ candidate: Candidate) throws(Problem) -> CallExtent {
        let (bounds, media) = try call.bounds()
        let bytes = Self.textBytes(of: call.document, media)
        call.attempts.requestBytes = media.isEmpty ? bytes : nil
        return CallExtent(
            bounds, text: tokens(in: bytes, candidate), media: media,
            rounds: call.check?.mayRepair ?? false ? 2 : 1, of: candidate)
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
    static func textBytes(of document: JSONDocument, _ media: [ChatMedia]) -> Int {
        media.reduce(document.bytes.count) { count, medium in
            if case .base64(let data) = medium.source { max(0, count - data.utf8.count) } else { count }
        }
    }
}
