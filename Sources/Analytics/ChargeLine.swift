package import Catalog
import Chat

/// So many of a kind, and what each costs.
package struct ChargeLine: Equatable, Sendable {
    /// `input`, `cache_write`, …; `image`, `request`.
    package let kind: String
    package let count: Int
    /// In pico-dollars.
    package let rate: Int

    /// In pico-dollars.
    package var amount: Int128 { Int128(count) * Int128(rate) }
}

extension Receipt.Attempt {
    /// What it used, at that price; nil where it does not add up to what was booked, so that nothing is explained that is not so.
    package func lines(at price: ModelPrice) -> [ChargeLine]? {
        guard let cost else { return nil }
        if cost == 0, usage.totalInput + usage.totalOutput + images == 0 { return [] }
        var lines: [ChargeLine] = []
        let isPaidByTokens = images == 0 || usage.imageOutput > 0 && price.rate(of: .imageOutput) != nil
        if !isPaidByTokens, let rate = price.image {
            lines.append(ChargeLine(kind: "image", count: images, rate: rate))
        }
        if isPaidByTokens || price.input != nil || price.output != nil {
            let isLong = price.longContext.map { usage.totalInput > $0.above } ?? false
            for kind in TokenKind.allCases where isPaidByTokens || kind != .imageOutput {
                let count = kind.count(in: usage)
                guard count > 0, let rate = price.rate(of: kind, isLong: isLong) else { continue }
                lines.append(ChargeLine(kind: kind.rawValue, count: count, rate: rate))
            }
        }
        if let rate = price.request { lines.append(ChargeLine(kind: "request", count: 1, rate: rate)) }
        let sum = lines.reduce(Int128(0)) { $0 + $1.amount }
        return (sum + 500) / 1000 == Int128(cost) ? lines : nil
    }
}
