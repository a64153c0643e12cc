/// One answer of an endpoint. Several of one status differ in their media type.
package struct AnswerDescription: Sendable {
    package let status: Int
    package let description: String
    /// `nil`: no body, or one that is no JSON. Errors have that of all errors.
    package let schema: Schema?
    /// An answer as it can look, in its media type.
    package let example: String?
    /// `nil`: there is no body.
    package let mediaType: String?

    package init(
        _ status: Int, _ description: String, _ schema: Schema? = nil, example: String? = nil,
        mediaType: String? = nil
    ) {
        let isError = status >= 400 && mediaType == nil && schema == nil
        self.status = status
        self.description = description
        self.schema = isError ? (status == 400 ? .refusal : .error) : schema
        self.example = example
        self.mediaType = mediaType ?? (isError || schema != nil ? "application/json" : nil)
    }
}
