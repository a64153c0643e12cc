import Foundation
import Testing

/// What every file must be, whoever wrote it.
struct TidyTests {
    private static let longestFile = 500
    private static let longestFunction = 100

    private var all: [SourceTree.File] { SourceTree.sources + SourceTree.tests }

    @Test func `no file is longer than can be read in one sitting`() {
        for file in all {
            #expect(file.lines.count <= Self.longestFile, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test func `no function is longer than two screens`() {
        for file in all {
            for (start, line) in file.lines.enumerated() where Self.opensFunction(line) {
                let end = file.lines[start...].firstIndex {
                    $0.indentation == line.indentation && $0.trimmed == "}"
                }
                let length = (end ?? file.lines.count) - start
                #expect(length <= Self.longestFunction, "\(file.path):\(start + 1) is \(length) lines long")
            }
        }
    }

    private static func opensFunction(_ line: String) -> Bool {
        let words = line.trimmed.split { !$0.isLetter && $0 != "@" }
        let isFunction = words.prefix(6).contains { ["func", "init", "deinit", "subscript"].contains($0) }
        let isOneLine = line.trimmed.hasSuffix("}")
        return isFunction && !isOneLine && !line.trimmed.hasPrefix("//") && !line.trimmed.hasPrefix("}")
    }

    @Test func `no code is kept in comments`() {
        for file in all {
            var run = 0
            for (number, line) in file.lines.enumerated() {
                run = Self.isCommentedCode(line) ? run + 1 : 0
                if run == 2 { Issue.record("\(file.path):\(number) holds code in a comment") }
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

    @Test func `every file has a part in the program`() {
        let words = SourceTree.sources.map { file in
            Set(
                file.lines.joined(separator: "\n").split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(
                    String.init))
        }
        for (index, file) in SourceTree.sources.enumerated() where !file.lines.contains("@main") {
            let names = Self.declarations(file)
            let isUsed = words.indices.contains { $0 != index && !names.isDisjoint(with: words[$0]) }
            #expect(isUsed, "nothing that \(file.path) declares is used elsewhere")
        }
    }

    private static func declarations(_ file: SourceTree.File) -> Set<String> {
        let keywords: Set = [
            "struct", "class", "enum", "protocol", "actor", "typealias", "func", "var", "let",
        ]
        var names: Set<String> = []
        for line in file.lines where !line.trimmed.hasPrefix("//") {
            let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
            for (keyword, name) in zip(words, words.dropFirst()) where keywords.contains(keyword) {
                names.insert(name)
            }
        }
        // What an extension gives to a type is reached through the type, too.
        for line in file.lines where line.hasPrefix("extension ") || line.hasPrefix("package extension ") {
            if line.contains(":") { names.formUnion(line.split { !$0.isLetter }.map(String.init)) }
        }
        return names
    }

    @Test func `nothing is unfinished, forced or unsafe without a reason`() {
        let forbidden = [
            "TODO", "FIXME", "XXX", "HACK", "try!", "as!", "fatalError(", "nonisolated(unsafe)", "for now",
        ]
        for file in SourceTree.sources {
            for (number, line) in file.lines.enumerated() {
                for word in forbidden where line.contains(word) {
                    Issue.record("\(file.path):\(number + 1): \(word)")
                }
                if line.contains("@unchecked Sendable") { checkReason(file, number) }
            }
        }
    }

    /// The reason stands right before the declaration, between it and its documentation.
    private func checkReason(_ file: SourceTree.File, _ number: Int) {
        var start = number
        // The declaration may have begun on a line before.
        while start > 0, file.lines[start].indentation > 0, !file.lines[start].contains(" class "),
            !file.lines[start].contains(" struct "), !file.lines[start].contains("class ")
        {
            start -= 1
        }
        let before = start > 0 ? file.lines[start - 1].trimmed : ""
        let hasReason = before.hasPrefix("// ") || file.lines[number].contains(" // ")
        #expect(hasReason, "\(file.path):\(number + 1) does not say why it may be shared")
    }

    @Test func `every target and the project itself are described`() throws {
        for target in Set(SourceTree.sources.map(\.target)) {
            let readme = SourceTree.root.appendingPathComponent("Sources/\(target)/README.md")
            #expect(FileManager.default.fileExists(atPath: readme.path), "\(target) has no README.md")
        }
        let map = try String(
            contentsOf: SourceTree.root.appendingPathComponent("Sources/README.md"), encoding: .utf8)
        for target in Set(SourceTree.sources.map(\.target)) {
            #expect(map.contains("`\(target)`"), "Sources/README.md does not name \(target)")
        }
    }

    @Test func `nothing but what belongs there lies at the top`() throws {
        let allowed: Set = [
            ".build", ".ci", ".git", ".gitignore", ".hivegate", ".swift-format", ".venv", "CHANGELOG.md",
            "LICENSE",
            "Makefile", "Package.swift", "README.md", "Sources", "Tests", "dist", "docker", "migrations",
            ".swiftpm",
            ".pytest_cache",
        ]
        let found = try FileManager.default.contentsOfDirectory(atPath: SourceTree.root.path)
        #expect(Set(found).subtracting(allowed).isEmpty)
    }
}
