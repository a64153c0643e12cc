package import Chat

/// What a request to a model has used of all that may have a price.
package struct Consumption: Equatable, Sendable {
    package var tokens = ChatUsage()
    /// Calls of the model.
    package var requests = 1
    /// Images made.
    package var images = 0
    /// Searches of the web.
    package var searches = 0
    /// Of sound.
    package var seconds = 0
    /// Spoken.
    package var characters = 0

    package init(_ tokens: ChatUsage = ChatUsage(), _ change: (inout Consumption) -> Void = { _ in }) {
        self.tokens = tokens
        change(&self)
    }
}
