import Base
import Catalog
import Chat
import Identity
import JSON
import Providers

extension Gateway {
    /// - Parameter messages: a request of `POST /v1/chat/completions`; nil: tokens are counted by who asks.
    func estimate(_ call: APICall, _ fields: Fields, of messages: [UInt8]?) async throws -> Reply {
        let name = fields.string("model")
        let found = try models(named: name, call)
        let reach = try await reach(call)
        let reached = found.filter { reach.canAsk($0) }
        let terms = try await terms(of: call.principal)
        let question = try question(fields, messages)
        var offers: [PriceEstimate] = []
        for model in reached.isEmpty ? found : reached {
            guard let price = model.price(on: terms, at: call.now) else { continue }
            let candidate = candidate(for: model, price: price)
            let offer =
                switch question {
                case .use(let use, let isWhole):
                    Self.estimate(of: use, isWhole: isWhole, model, candidate, price)
                case .messages(let document, let request):
                    estimate(of: document, request, model, candidate, price)
                }
            if let offer { offers.append(offer) }
        }
        guard let least = offers.map(\.least).min(), let most = offers.map(\.most).max() else {
            throw Problem.unpriced(name)
        }
        return .json { json in
            json.money("minimum", least)
            json.money("maximum", most)
            json.array("offers") { json in for offer in offers { json.object { offer.write(to: &$0) } } }
        }
    }

    private enum PriceQuestion {
        /// Whole: with what is answered.
        case use(Consumption, isWhole: Bool)
        case messages(JSONDocument, ChatRequest)
    }

    private func question(_ fields: Fields, _ messages: [UInt8]?) throws(Problem) -> PriceQuestion {
        let counts = PriceEstimate.counts.filter { fields.isPresent($0.name) }
        if let messages {
            if let first = counts.first {
                throw Problem(
                    .unprocessable, code: "messages_and_counts",
                    "\(first.name) is counted where there are messages. Send either.", field: first.name)
            }
            let document = try Self.document(messages)
            do throws(Problem) { return .messages(document, try OpenAIChatFront().request(document)) } catch {
                var problem = error
                (problem.kind, problem.code) = (.unprocessable, "invalid_messages")
                throw problem
            }
        }
        var use = Consumption()
        for count in counts { count.take(fields.integer(count.name), &use) }
        return .use(use, isWhole: counts.contains { $0.kind?.isRead != true })
    }

    /// Who would be asked, whether that can be done here or not.
    private func candidate(for model: CatalogModel, price: PriceInForce?) -> Candidate {
        let nobody = Upstream.Settings(name: model.provider, chat: nil, baseURL: "", keys: [])
        return Candidate(model, at: Upstream(nobody), price: price)
    }

    /// Between no answer and the longest, of the dearest kind.
    private static func estimate(
        of use: Consumption, isWhole: Bool, _ model: CatalogModel, _ candidate: Candidate,
        _ price: PriceInForce
    ) -> PriceEstimate? {
        guard let least = price.cost(of: use) else { return nil }
        var most = least
        if !isWhole {
            for kind in [TokenKind.output, .reasoning] {
                var longest = use
                kind.set(candidate.target.maximumOutput ?? CallExtent.usualAnswer, in: &longest.tokens)
                // A model that answers with no tokens has no price for them.
                most = max(most, price.cost(of: longest) ?? 0)
            }
        }
        return PriceEstimate(model: model, price: price, least: least, most: most, use: use)
    }

    /// About what is said, and what a call of it would hold.
    private func estimate(
        of document: JSONDocument, _ request: ChatRequest, _ model: CatalogModel, _ candidate: Candidate,
        _ price: PriceInForce
    ) -> PriceEstimate? {
        let media = request.media
        let extent = CallExtent(
            AnswerBounds(request),
            text: tokenBound.tokens(in: TokenBound.textBytes(of: document, media), candidate), media: media,
            rounds: 1, of: candidate)
        guard let bound = CostBound([(candidate, extent)]) else { return nil }
        let factor = candidate.facts?.tokenizerFactor ?? 1000
        let said = min(TokenEstimate.tokens(in: request.messages) * factor / 1000, extent.text)
        // All of it may have been read before, and kept.
        let isCheaper = (price.price.rate(of: .cacheRead) ?? .max) < (price.input ?? 0)
        let use = Consumption(isCheaper ? ChatUsage(cacheRead: said) : ChatUsage(input: said))
        guard let least = price.cost(of: use) else { return nil }
        return PriceEstimate(
            model: model, price: price, least: min(least, bound.nanodollars), most: bound.nanodollars,
            use: use)
    }
}
