/// Names of documents: Bedrock wants one for each, no two alike, and of few characters.
struct BedrockDocumentNames {
    private static let longest = 180
    private var taken: Set<String> = []

    mutating func name(for wish: String?) -> String {
        let plain = Self.plain(wish ?? "")
        let base = plain.isEmpty ? "document" : plain
        var name = base
        var number = 2
        while !taken.insert(name).inserted {
            name = "\(base) \(number)"
            number += 1
        }
        return name
    }

    /// What is not allowed becomes a blank, and blanks in a row become one.
    private static func plain(_ wish: String) -> String {
        let allowed = wish.unicodeScalars.map { scalar -> Character in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "-", "(", ")", "[", "]": Character(scalar)
            default: " "
            }
        }
        return String(allowed.split(separator: " ").joined(separator: " ").prefix(longest))
    }
}
