import Chat
import Providers

extension Candidate {
    /// How its provider is asked for a client of the dialect `front`; nil where that has no models to talk to, and where
    /// none is asked.
    ///
    /// The Responses API is for its own clients, whose requests have what no other dialect can say, and for models that
    /// are served by nothing else.
    func chatCodec(for front: ChatDialect) -> (any ChatCodec)? {
        guard case .upstream(let upstream) = place else { return nil }
        guard let responses = upstream.settings.responses else { return upstream.settings.chat }
        return front == .openAIResponses || facts?.isByResponsesOnly == true
            ? responses : upstream.settings.chat
    }
}
