extension ModelPrice {
    /// Whether so much input makes a request one that costs as much input does.
    func isLong(_ input: Int) -> Bool { longContext.map { input > $0.above } ?? false }

    /// Pico-dollars for a token of a kind; nil where that is not known.
    ///
    /// Only two kinds have a parent whose price stands for an unknown one of theirs, because they never cost more: what is
    /// read from a cache costs no more than what is read afresh, and thoughts are output. What is kept in a cache, heard,
    /// looked at, spoken or drawn usually costs more than text, so the price of text says nothing about it.
    package func rate(of kind: TokenKind, isLong: Bool = false) -> Int? {
        guard let usual = usualRate(of: kind) else { return nil }
        guard isLong, let longContext else { return usual }
        return kind.isRead
            ? Self.scaled(usual, from: input, to: longContext.input)
            : Self.scaled(usual, from: output, to: longContext.output)
    }

    private func usualRate(of kind: TokenKind) -> Int? {
        let known: Int? =
            switch kind {
            case .input: input
            case .cacheRead: cacheRead ?? input
            case .cacheWrite: cacheWrite
            case .cacheWriteHour: cacheWriteLong
            case .audioInput: audioInput
            case .imageInput: nil
            case .output: output
            case .reasoning: reasoning ?? output
            case .audioOutput: audioOutput
            case .imageOutput: imageOutput
            }
        return known ?? (isFree ? 0 : nil)
    }

    /// Much input makes all kinds dearer as it does the plain one: no list says more, and the providers that have such
    /// prices reckon like this.
    private static func scaled(_ rate: Int, from usual: Int?, to long: Int?) -> Int? {
        guard let long else { return rate }
        guard let usual, usual > 0 else { return max(rate, long) }
        let product = Int128(rate) * Int128(long)
        return Int(exactly: (product + Int128(usual) - 1) / Int128(usual))
    }
}
