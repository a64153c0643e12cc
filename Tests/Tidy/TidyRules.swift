import Foundation

/// What every file must be, whoever wrote it. Each rule says where it is broken, and nothing where it is not.
enum TidyRules {
    static let longestFile = 500
    static let longestFunction = 100

    // MARK: Length

    static func longFiles(_ files: [SourceTree.File]) -> [String] {
        files.filter { $0.lines.count > longestFile }.map { "\($0.path) has \($0.lines.count) lines" }
    }

    static func longFunctions(_ files: [SourceTree.File]) -> [String] {
        files.flatMap { file in
            file.lines.enumerated().compactMap { start, line -> String? in
                guard opensFunction(line) else { return nil }
                let end = file.lines[start...].firstIndex {
                    $0.indentation == line.indentation && $0.trimmed == "}"
                }
                let length = (end ?? file.lines.count) - start
                return length > longestFunction ? "\(file.path):\(start + 1) is \(length) lines long" : nil
            }
        }
    }

    private static func opensFunction(_ line: String) -> Bool {
        // A dot stays with its word: `.init(…)` calls what `init(…)` opens.
        let words = line.trimmed.split { !$0.isLetter && $0 != "@" && $0 != "." }
        let isFunction = words.prefix(6).contains { ["func", "init", "deinit", "subscript"].contains($0) }
        let isOneLine = line.trimmed.hasSuffix("}")
        return isFunction && !isOneLine && !line.trimmed.hasPrefix("//") && !line.trimmed.hasPrefix("}")
    }

    // MARK: Leftovers

    static func commentedCode(_ files: [SourceTree.File]) -> [String] {
        files.flatMap { file in
            zip(file.lines, file.lines.dropFirst()).enumerated().compactMap { number, pair in
                isCommentedCode(pair.0) && isCommentedCode(pair.1) ? "\(file.path):\(number + 1)" : nil
            }
        }
    }

    private static func isCommentedCode(_ line: String) -> Bool {
        let text = line.trimmed
        guard text.hasPrefix("//"), !text.hasPrefix("///") else { return false }
        let content = text.dropFirst(2).trimmingCharacters(in: .whitespaces)
        let begins = ["let ", "var ", "return ", "guard ", "func ", "import ", "try ", "await ", "#expect("]
        return begins.contains { content.hasPrefix($0) } || content.hasSuffix("{") || content == "}"
            || content.hasSuffix(";")
    }

    /// Files of which nothing is used in any other.
    static func deadFiles(_ files: [SourceTree.File]) -> [String] {
        let words = files.map { file in Set(identifiers(file.lines.joined(separator: "\n"))) }
        return files.indices.compactMap { index in
            let file = files[index]
            guard !file.lines.contains("@main") else { return nil }
            let names = declarations(file)
            let isUsed = words.indices.contains { $0 != index && !names.isDisjoint(with: words[$0]) }
            return isUsed ? nil : file.path
        }
    }

    private static func declarations(_ file: SourceTree.File) -> Set<String> {
        let keywords: Set = [
            "struct", "class", "enum", "protocol", "actor", "typealias", "func", "var", "let",
        ]
        var names: Set<String> = []
        for line in file.lines where !line.trimmed.hasPrefix("//") {
            let words = identifiers(line)
            for (keyword, name) in zip(words, words.dropFirst()) where keywords.contains(keyword) {
                names.insert(name)
            }
            // A conformance is reached through the type.
            if line.hasPrefix("extension "), line.contains(":") { names.formUnion(words) }
        }
        return names
    }

    private static func identifiers(_ text: String) -> [String] {
        text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
    }

    // MARK: Safety

    static func forbidden(_ files: [SourceTree.File]) -> [String] {
        let forbidden = [
            "TODO", "FIXME", "XXX", "HACK", "try!", "as!", "fatalError(", "nonisolated(unsafe)", "for now",
        ]
        return files.flatMap { file in
            file.lines.enumerated().flatMap { number, line in
                forbidden.filter(line.contains).map { "\(file.path):\(number + 1): \($0)" }
            }
        }
    }

    /// Every `@unchecked Sendable` says why it holds, right before the declaration.
    static func unreasonedSharing(_ files: [SourceTree.File]) -> [String] {
        files.flatMap { file in
            file.lines.indices.compactMap { number in
                guard file.lines[number].contains("@unchecked Sendable") else { return nil }
                // The declaration may have begun on a line before.
                let start = file.lines[...number].lastIndex {
                    $0.contains("class ") || $0.contains("struct ")
                }
                let before = start.flatMap { $0 > 0 ? file.lines[$0 - 1].trimmed : nil } ?? ""
                return before.hasPrefix("// ") ? nil : "\(file.path):\(number + 1)"
            }
        }
    }
}
