/// A step of a model's reply.
package enum ChatEvent: Equatable, Sendable {
    case text(String)
    case finished(FinishReason, ChatUsage)

    package enum FinishReason: String, Sendable {
        case stop, length
    }
}
