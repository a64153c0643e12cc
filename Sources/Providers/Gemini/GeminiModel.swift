import Chat
import HTTPWire

/// What a model's name says of it.
struct GeminiModel {
    let name: String

    /// How thought is asked for.
    enum Thinking {
        /// Not at all.
        case none
        /// By a number of tokens.
        case budget
        /// By a word.
        case level
    }

    init(_ name: String) { self.name = name }

    func path(_ action: String) -> String {
        let isQualified = name.hasPrefix("models/") || name.hasPrefix("tunedModels/")
        return
            "/v1beta/\(isQualified ? "" : "models/")\(PercentCoding.encode(name, keepingSlash: true)):\(action)"
    }

    /// nil where the name does not say.
    private var generation: Int? {
        let name = name.split(separator: "/").last ?? ""
        guard name.hasPrefix("gemini-") else { return nil }
        return Int(name.dropFirst("gemini-".count).prefix { $0.isASCII && $0.isNumber })
    }

    var thinking: Thinking {
        switch generation {
        case .some(3...): .level
        case .some(2): name.contains("gemini-2.0") ? .none : .budget
        case .some: .none
        // Both kinds of models take a number.
        case nil: name.contains("gemini") ? .budget : .none
        }
    }

    /// Whether calls of tools must be signed, and results may hold more than text.
    var isThree: Bool { generation.map { $0 >= 3 } ?? false }

    /// Those that think hardest cannot do so as little as others.
    var isPro: Bool { name.contains("-pro") }
}
