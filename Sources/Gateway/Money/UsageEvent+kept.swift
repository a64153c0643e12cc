import Cache
import HTTPWire
import Metering

extension UsageEvent.Kept {
    init(_ answer: CachedAnswer) {
        self.init(
            provider: answer.provider, model: answer.model, nanodollarsSaved: answer.costNanodollars ?? 0)
    }

    /// One that is just being made for somebody else: what it costs nobody knows yet.
    init(_ head: AnswerHead) {
        self.init(
            provider: head.fields.string("x-hivegate-provider") ?? "",
            model: head.fields.string("x-hivegate-model") ?? "", nanodollarsSaved: 0)
    }
}
