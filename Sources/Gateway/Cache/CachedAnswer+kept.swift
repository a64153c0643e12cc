import Cache
import HTTPWire
import Metering

extension CachedAnswer {
    /// What metering is told when it is given.
    var kept: UsageEvent.Kept {
        UsageEvent.Kept(provider: provider, model: model, nanodollarsSaved: costNanodollars ?? 0)
    }
}

extension AnswerHead {
    /// The same of one that is just being made for somebody else: what it costs nobody knows yet.
    var kept: UsageEvent.Kept {
        UsageEvent.Kept(
            provider: fields.string("x-hivegate-provider") ?? "",
            model: fields.string("x-hivegate-model") ?? "",
            nanodollarsSaved: 0)
    }
}
