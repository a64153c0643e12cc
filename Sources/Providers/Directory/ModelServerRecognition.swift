import JSON

/// Finds out by a few questions which server is at an address: put `next` to it until there is none, and `server` is who
/// it is. Whoever does not answer, wants to know who asks, or says nothing that is known, is nobody.
package struct ModelServerRecognition {
    package enum Question: Equatable, Sendable {
        case models
        /// Ollama says its name there, also while it has no models.
        case frontPage
        /// llama.cpp lists its models for everybody, but answers this only to whom it answers chats.
        case properties

        package var path: String {
            switch self {
            case .models: "/v1/models"
            case .frontPage: "/"
            case .properties: "/props"
            }
        }
    }

    package private(set) var next: Question? = .models
    package private(set) var server: ModelServer?
    /// Who it is unless the front page says otherwise.
    private var presumed: ModelServer?

    package init() {}

    package mutating func answered(status: Int, _ body: [UInt8]) {
        guard let question = next else { return }
        next = nil
        switch question {
        case .models: readModels(status, body)
        case .frontPage:
            if status == 200, Self.isOllama(body) {
                server = .ollama
            } else if let presumed {
                accept(presumed)
            }
        case .properties:
            if ![401, 403].contains(status) { server = .llamacpp }
        }
    }

    private mutating func readModels(_ status: Int, _ body: [UInt8]) {
        guard status == 200, let models = try? JSONDocument(parsing: body)["data"] else {
            // Early versions of Ollama have no such list.
            if status == 404 || status == 200 { next = .frontPage }
            return
        }
        let owners = Set(models.elements.map { $0["owned_by"]?.string })
        let names = models.elements.compactMap { $0["id"]?.string }
        guard owners.count == 1, let owner = owners.first ?? nil, let server = ModelServer(owner: owner)
        else {
            next = .frontPage
            return
        }
        guard names.allSatisfy(server.couldMean) else {
            presumed = server
            next = .frontPage
            return
        }
        accept(server)
    }

    private mutating func accept(_ found: ModelServer) {
        if found == .llamacpp { next = .properties } else { server = found }
    }

    private static func isOllama(_ page: [UInt8]) -> Bool {
        page.count < 100
            && String(decoding: page, as: UTF8.self).split(whereSeparator: \.isWhitespace) == [
                "Ollama", "is", "running",
            ]
    }
}
