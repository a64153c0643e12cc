import Chat
import Providers

/// How much a call can take of one candidate, as far as that can be said before anybody is asked.
struct CallExtent {
    /// Tokens of what is said, and of what a provider puts around it.
    var text: Int
    /// What is no text.
    var media: [ChatMedia]
    /// The longest answer that the client wants; nil where it has not said.
    var wanted: Int?
    /// What the candidate answers at most; nil where that is not known.
    var mostOutput: Int?
    /// Answers to one question.
    var choices: Int
    /// Who may be asked once more is.
    var rounds: Int

    /// What an image, a sound or a file is read as, usually at most.
    static let perMedium = 3000
    /// What a model can answer whose limit is not known.
    static let usualAnswer = 4096
    /// Clients may wish for any number; none that is larger means anything.
    private static let mostTokens = 1 << 40
    private static let mostChoices = 1 << 16

    init(_ bounds: AnswerBounds, text: Int, media: [ChatMedia], rounds: Int, of candidate: Candidate) {
        self.text = text
        self.media = media
        self.rounds = rounds
        wanted = bounds.maximumTokens.map { min($0, Self.mostTokens) }
        choices = min(bounds.choiceCount, Self.mostChoices)
        mostOutput = candidate.target.maximumOutput
    }

    /// Of all that is read once.
    var input: Int { text + media.count * Self.perMedium }
    /// How long an answer can become.
    var answer: Int { wanted ?? mostOutput ?? Self.usualAnswer }
}
