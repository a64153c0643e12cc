import Providers

/// Where servers of the house are looked for while the gateway runs.
struct LocalServerSettings {
    private static let variable = "LOCAL_SERVERS"
    private static let usual =
        "http://127.0.0.1:11434,http://127.0.0.1:8000,http://127.0.0.1:8080,http://127.0.0.1:1234"
    private static let largestCount = 16

    /// Each once, and without those that are known: where the environment's providers and this gateway are.
    private(set) var addresses: [ModelServerAddress] = []

    init(_ reader: inout EnvironmentReader, besides upstreams: [Upstream.Settings], ownURL: String) {
        let texts = reader.text(
            Self.variable, default: Self.usual,
            "where an Ollama, vLLM, llama.cpp or LM Studio is looked for; empty: nowhere"
        ).split(separator: ",").map { $0.drop(while: \.isWhitespace) }.filter { !$0.isEmpty }
        if texts.count > Self.largestCount {
            reader.fault(
                Self.variable, "has \(texts.count) addresses; at most \(Self.largestCount) are looked at")
        }
        let known = upstreams.map(\.baseURL) + [ownURL]
        for (index, text) in texts.enumerated() {
            // It is not repeated: there may be a password in it.
            guard let address = ModelServerAddress(text) else {
                reader.fault(
                    Self.variable,
                    "address \(index + 1) must be http:// or https://, a host and perhaps a port, "
                        + "such as http://127.0.0.1:11434")
                continue
            }
            if !addresses.contains(address), !known.contains(where: address.isReached) {
                addresses.append(address)
            }
        }
    }
}
