package import Base

/// What a model costs for a time. All prices are in pico-dollars for one: a token, an image, a call, a search, a second, a
/// character. What providers publish, in dollars for a million tokens, is a whole number of them. nil is not known, and
/// never 0.
package struct ModelPrice: Equatable, Sendable {
    package var from: Timestamp
    /// The first moment at which it does not hold; nil: until further notice.
    package var until: Timestamp?

    // For a token.
    package var input: Int?
    package var cacheRead: Int?
    package var cacheWrite: Int?
    /// What is kept for an hour instead of minutes.
    package var cacheWriteLong: Int?
    package var output: Int?
    /// Where thoughts cost something else than other output.
    package var reasoning: Int?
    package var audioInput: Int?
    package var audioOutput: Int?
    package var imageOutput: Int?

    /// For an image made.
    package var image: Int?
    /// For a call, whatever is in it.
    package var request: Int?
    /// For a search of the web.
    package var search: Int?
    /// For a second of sound.
    package var second: Int?
    /// For a character spoken.
    package var character: Int?

    /// What all tokens of a request cost that has much input.
    package var longContext: LongContext?
    /// Where the price is from.
    package var source = ""
    /// Which of an organization's own prices lies over it; nil: none.
    package var override: UUID?

    package struct LongContext: Equatable, Sendable {
        /// More input than this is much.
        package var above: Int
        /// nil: as usual.
        package var input: Int?
        package var output: Int?

        package init(above: Int, input: Int?, output: Int?) {
            self.above = above
            self.input = input
            self.output = output
        }
    }

    package init(
        from: Timestamp, until: Timestamp? = nil, input: Int? = nil, output: Int? = nil,
        _ change: (inout ModelPrice) -> Void = { _ in }
    ) {
        self.from = from
        self.until = until
        self.input = input
        self.output = output
        change(&self)
    }

    package func holds(at now: Timestamp) -> Bool { from <= now && until.map { now < $0 } ?? true }

    /// Whether nothing is asked for anything. What has a price that is not known is not free.
    package var isFree: Bool {
        input == 0 && output == 0
            && [
                cacheRead, cacheWrite, cacheWriteLong, reasoning, audioInput, audioOutput, imageOutput, image,
                request,
                search, second, character, longContext?.input, longContext?.output,
            ].allSatisfy { $0 ?? 0 == 0 }
    }

    /// Of a usual mix, for comparing: three tokens read for one answered. nil where one of the two is not known.
    package var ofUsualMix: Int? {
        guard let input, let output else { return nil }
        let (read, isTooMuch) = input.multipliedReportingOverflow(by: 3)
        let (sum, overflows) = read.addingReportingOverflow(output)
        return isTooMuch || overflows ? .max : sum
    }

    /// Whole nano-dollars for a token, rounded up so that a ceiling holds; not for what is charged.
    package var inputNanodollars: Int? { input.map(Self.nanodollars) }
    package var outputNanodollars: Int? { output.map(Self.nanodollars) }

    private static func nanodollars(_ picodollars: Int) -> Int {
        picodollars / 1000 + (picodollars % 1000 > 0 ? 1 : 0)
    }
}
