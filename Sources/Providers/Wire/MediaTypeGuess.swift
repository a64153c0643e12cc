/// What the first characters of a file in base64 tell of its type, for clients that do not say.
enum MediaTypeGuess {
    private static let beginnings: [(text: String, type: String)] = [
        ("/9j/", "image/jpeg"), ("iVBORw0KGgo", "image/png"), ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"), ("JVBERi", "application/pdf"),
    ]

    static func type(ofBase64 text: String) -> String? {
        beginnings.first { text.hasPrefix($0.text) }?.type
    }
}
