/// The most that a request to a model can use.
package struct Demand: Equatable, Sendable {
    /// Tokens read, of whatever kind but sound.
    package var input = 0
    /// Tokens of sound heard.
    package var audioInput = 0
    /// Tokens made, of whatever kind.
    package var output = 0
    package var requests = 1
    package var images = 0
    /// Whether what is read may be kept for longer than minutes, at another price.
    package var mayKeepLong = false

    package init(_ change: (inout Demand) -> Void = { _ in }) { change(&self) }
}

extension ModelPrice {
    /// No image has more tokens.
    package static let mostTokensOfImage = 8192

    /// The most that what was asked for can cost, in nano-dollars, rounded up; nil where a price is missing that it needs.
    /// What can be kept is reckoned as kept, and much input as much, where that is dearer.
    package func ceiling(of demand: Demand) -> Int64? {
        let usual = ceiling(of: demand, isLong: false)
        let totalInput = demand.input.addingReportingOverflow(demand.audioInput)
        guard totalInput.overflow || isLong(totalInput.partialValue), let usual else { return usual }
        return ceiling(of: demand, isLong: true).map { max($0, usual) }
    }

    private func ceiling(of demand: Demand, isLong: Bool) -> Int64? {
        func dearest(_ kinds: [TokenKind]) -> Int? {
            var dearest: Int?
            for kind in kinds {
                if let rate = rate(of: kind, isLong: isLong) { dearest = max(dearest ?? rate, rate) }
            }
            return dearest
        }
        let reading: [TokenKind] =
            demand.mayKeepLong
            ? [.input, .cacheRead, .cacheWrite, .cacheWriteHour] : [.input, .cacheRead, .cacheWrite]
        // A price of a kind is there for models that make it.
        let making: [TokenKind] = [.output, .reasoning, .audioOutput, .imageOutput]
        var sum: Int128 = 0
        func add(_ count: Int, _ rate: Int?) -> Bool {
            guard let part = Self.product(min(count, Self.mostCount), rate) else { return false }
            sum += part
            return true
        }
        let isSoldByImage = demand.images > 0 && image != nil && input == nil && output == nil
        guard
            isSoldByImage
                || add(demand.input, rate(of: .input, isLong: isLong).flatMap { _ in dearest(reading) }),
            isSoldByImage || add(demand.audioInput, rate(of: .audioInput, isLong: isLong)),
            add(demand.output, rate(of: .output, isLong: isLong).flatMap { _ in dearest(making) }),
            add(demand.requests, request ?? 0), add(demand.images, ceilingOfImage(isLong: isLong))
        else { return nil }
        let nanodollars = (sum + 999) / 1000
        return Int64(min(nanodollars, Int128(Self.mostNanodollars)))
    }

    private func ceilingOfImage(isLong: Bool) -> Int? {
        let drawn = rate(of: .imageOutput, isLong: isLong).flatMap { rate in
            // What else it says, its thoughts included, is as long as an image at most.
            let dearest = max(rate, self.rate(of: .output, isLong: isLong) ?? 0)
            return Int(exactly: Int128(Self.mostTokensOfImage) * Int128(dearest))
        }
        guard let drawn, let image else { return drawn ?? image ?? (isFree ? 0 : nil) }
        return max(drawn, image)
    }
}
