/// How a provider departs from OpenAI's Responses API.
package struct OpenAIResponsesQuirks: Equatable, Sendable {
    /// Whether it keeps a response where it is asked to. One that never does refuses to be asked.
    package var keepsResponses = true

    package init(keepsResponses: Bool = true) { self.keepsResponses = keepsResponses }

    package static let openAI = OpenAIResponsesQuirks()
}
