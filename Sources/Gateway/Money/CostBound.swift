import Base
import Catalog
import Chat
import JSON
import Providers

/// The most that a call may cost, whoever of those who may answer it does, and before anybody is asked.
struct CostBound {
    let nanodollars: Int64
    /// What the answer is to be limited to, because neither the client nor the catalogue says how long it can become.
    let answer: Int?
    /// Those who may answer and have a price.
    private let offers: [Offer]

    fileprivate struct Offer {
        let price: PriceInForce
        let extent: CallExtent
        let demand: Demand
    }

    /// nil where nobody who may answer has a price for what is asked.
    init?(of call: ChatCall, _ candidates: [Candidate], by bound: TokenBound) throws(Problem) {
        var extents: [CallExtent] = []
        for candidate in candidates { extents.append(try bound.extent(of: call, candidate)) }
        self.init(
            zip(candidates, extents), isSelfContained: call.isSelfContained,
            mayKeepLong: Self.mayKeepLong(call.document.bytes))
    }

    /// - Parameter isSelfContained: whether a provider adds nothing to what it is told.
    /// - Parameter mayKeepLong: whether it may be told to keep something for longer than minutes.
    init?(
        _ candidates: some Sequence<(Candidate, CallExtent)>, isSelfContained: Bool = true,
        mayKeepLong: @autoclosure () -> Bool = false
    ) {
        var offers: [Offer] = []
        var most: Int64?
        for (candidate, extent) in candidates {
            guard let price = candidate.price else { continue }
            var demand = extent.demand(of: candidate, isSelfContained: isSelfContained)
            demand.mayKeepLong = price.price.rate(of: .cacheWriteHour) != nil && mayKeepLong()
            let offer = Offer(price: price, extent: extent, demand: demand)
            guard let ceiling = offer.ceiling(answer: extent.answer) else { continue }
            offers.append(offer)
            most = max(most ?? ceiling, ceiling)
        }
        guard let most else { return nil }
        self.offers = offers
        nanodollars = most
        let isUnbounded = offers.contains { $0.extent.wanted == nil && $0.extent.mostOutput == nil }
        answer = isUnbounded ? offers.map(\.extent.answer).min() : nil
    }

    /// The longest answer that costs no more than this, at whomever; nil where none does that is worth it.
    ///
    /// It is no longer than what any of those who may answer can say: some refuse to be asked for more.
    func largestAnswer(within nanodollars: Int64) -> Int? {
        guard let most = offers.map(\.extent.answer).min(),
            fits(most: nanodollars, TokenBound.smallestAnswer),
            most >= TokenBound.smallestAnswer
        else { return nil }
        var (fitting, excessive) = (TokenBound.smallestAnswer, most + 1)
        while excessive - fitting > 1 {
            let middle = (fitting + excessive) / 2
            if fits(most: nanodollars, middle) { fitting = middle } else { excessive = middle }
        }
        return fitting
    }

    private func fits(most nanodollars: Int64, _ answer: Int) -> Bool {
        offers.allSatisfy { $0.ceiling(answer: answer).map { $0 <= nanodollars } ?? false }
    }

    /// Only a request that says so has something kept for longer. The words may be written otherwise.
    private static func mayKeepLong(_ request: [UInt8]) -> Bool {
        request.contains("ttl") || request.contains("retention") || request.contains("\\u00")
    }

    // MARK: Vectors and images

    /// The most that vectors of so many tokens cost; nil where nobody has a price.
    static func most(ofInput tokens: (Candidate) -> Int, _ candidates: [Candidate]) -> Int64? {
        candidates.compactMap { candidate in
            candidate.price?.ceiling(of: Demand { $0.input = tokens(candidate) })
        }.max()
    }

    /// The most that images cost, which some draw one at a time.
    static func most(
        ofImages count: Int, input tokens: (Candidate) -> Int, _ candidates: [Candidate]
    ) -> Int64? {
        candidates.compactMap { candidate in
            candidate.price?.ceiling(
                of: Demand {
                    $0.input = tokens(candidate) * max(1, count)
                    ($0.images, $0.requests) = (count, count)
                })
        }.max()
    }
}

extension CostBound.Offer {
    /// What is around the faults that a model is shown.
    private static var shownFaults: Int { 8192 }

    /// With answers of so many tokens. Who is asked once more reads all of it again, what it is to fit, its answer and what
    /// is wrong with it.
    func ceiling(answer: Int) -> Int64? {
        var demand = demand
        demand.output = answer * extent.choices
        guard let first = price.ceiling(of: demand) else { return nil }
        if extent.rounds == 1 { return first }
        demand.input += extent.text + demand.output + Self.shownFaults
        guard let again = price.ceiling(of: demand) else { return nil }
        return min(first + again, ModelPrice.mostNanodollars)
    }
}

extension CallExtent {
    /// What a model reads at most whose limit is not known.
    private static var largestContext: Int { 1 << 20 }

    /// What is read, before it is said how long the answer is.
    func demand(of candidate: Candidate, isSelfContained: Bool) -> Demand {
        let context = candidate.facts?.contextTokens ?? Self.largestContext
        var (seen, heard) = (0, 0)
        for medium in media {
            let most = Self.mostTokens(in: medium) ?? context
            if medium.kind == .audio { heard += most } else { seen += most }
        }
        return Demand { demand in
            // No model reads more than it can, but text is ours to count.
            demand.input = text + min(seen, context)
            demand.audioInput = min(heard, context)
            // What the provider adds from its own memory only the provider knows.
            if !isSelfContained { demand.input = max(demand.input, context) }
        }
    }

    /// nil where nothing bounds it but what the model can read.
    private static func mostTokens(in medium: ChatMedia) -> Int? {
        switch (medium.kind, medium.source) {
        case (.image, _): perMedium
        // Its letters are in the request, and counted there.
        case (_, .text): 0
        // Pages are read as text and as images, and compressed they are small.
        case (.file, .base64(let data)): max(perMedium, data.utf8.count * 2)
        // A second has 32 tokens at most, and 512 bytes at least.
        case (.audio, .base64(let data)): max(perMedium, data.utf8.count / 16)
        case (.video, .base64), (_, .url), (_, .file): nil
        }
    }
}
