/// What a model drew.
package struct ImageReply: Equatable, Sendable {
    package var images: [Image]
    /// `png`, `jpeg`, `webp`, where that is known.
    package var format: String?
    /// nil where the provider counts images and not tokens, or does not say.
    package var usage: Usage?

    package struct Image: Equatable, Sendable {
        package var content: Content
        /// What the model made of the prompt.
        package var revisedPrompt: String?

        package init(_ content: Content, revisedPrompt: String? = nil) {
            self.content = content
            self.revisedPrompt = revisedPrompt
        }
    }

    package enum Content: Equatable, Sendable {
        case base64(String)
        case url(String)
    }

    /// In tokens.
    package struct Usage: Equatable, Sendable {
        package var textInput: Int
        package var imageInput: Int
        package var output: Int

        package init(textInput: Int, imageInput: Int = 0, output: Int) {
            self.textInput = textInput
            self.imageInput = imageInput
            self.output = output
        }
    }

    package init(images: [Image], format: String? = nil, usage: Usage? = nil) {
        self.images = images
        self.format = format
        self.usage = usage
    }
}
