import JSON

/// What Cohere says instead of an answer: `{"id": …, "message": …}`, for every kind of request.
enum CohereFault {
    static func read(status: Int, body: [UInt8]) -> UpstreamFault {
        let document = try? JSONDocument(parsing: body)
        let message = document?["message"]?.string ?? document?["error"]?.string
        return UpstreamFault(
            kind(ofStatus: status, message ?? ""), status: status,
            message ?? "The provider answered \(status) and did not say why.")
    }

    private static func kind(ofStatus status: Int, _ message: String) -> UpstreamFault.Kind {
        switch status {
        // Their own: the token is not valid.
        case 498: .unauthenticated
        case 400, 422:
            message.lowercased().hasPrefix("too many tokens") ? .contextTooLong : .invalidRequest
        default: UpstreamFault.kind(ofStatus: status)
        }
    }
}
