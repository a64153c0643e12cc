import Chat

/// Names for calls, which Ollama's format has none for.
enum OllamaCallNames {
    private static let prefix = "call_"

    static func name(_ number: Int) -> String { "\(prefix)\(number)" }

    /// The first number from which no name is taken: behind the calls so far, and behind those that are named like
    /// ours wherever they come from.
    static func next(in messages: [ChatMessage]) -> Int {
        var count = 0
        var largest = -1
        for message in messages {
            for case .toolCall(let call) in message.parts.lazy.map(\.content) {
                count += 1
                if let number = number(of: call.id) { largest = max(largest, number) }
            }
        }
        return max(count, largest + 1)
    }

    private static func number(of name: String) -> Int? {
        guard name.hasPrefix(prefix) else { return nil }
        let digits = name.utf8.dropFirst(prefix.utf8.count)
        // Longer ones are not ours, and out of our way.
        guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(String(digits) ?? "")
    }
}
