import Testing

/// A target imports only targets of a lower rank, and a C module is imported by one target. The compiler lets
/// transitive imports through, so the files are read.
struct ImportTests {
    private static let ranks: [String: Int] = [
        "CArgon2": 0, "CCrypto": 0, "CCurl": 0, "CHiredis": 0, "CLinux": 0, "CPostgres": 0,
        "Base": 1, "JSON": 1,
        "HTTPWire": 2, "Loop": 2,
        "HTTPClient": 3, "HTTPServer": 3, "Postgres": 3, "Redis": 3,
        "Chat": 4, "LocalServers": 4,
        "Identity": 5, "Providers": 5,
        "Gateway": 7,
        "hivegate": 8,
    ]
    /// What the toolchain brings. Foundation is not among it: it has no place on the request path.
    private static let toolchain: Set<String> = ["Glibc", "Synchronization"]

    private func imports(_ file: SourceTree.File) -> [String] {
        file.lines.compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard let position = words.firstIndex(of: "import"), position < 2, position + 1 < words.count,
                !line.trimmed.hasPrefix("//")
            else { return nil }
            return words[position + 1]
        }
    }

    @Test func `a target imports only what lies below it`() {
        for file in SourceTree.sources {
            guard let rank = Self.ranks[file.target] else {
                Issue.record("\(file.target) has no rank")
                continue
            }
            for module in imports(file) where !Self.toolchain.contains(module) {
                if let other = Self.ranks[module] {
                    #expect(
                        other < rank,
                        "\(file.path) imports \(module), which does not lie below \(file.target)")
                } else {
                    Issue.record("\(file.path) imports \(module), which is none of ours")
                }
            }
        }
    }

    @Test func `a C module is imported by exactly one target`() {
        for module in Self.ranks.filter({ $0.value == 0 }).keys {
            let targets = Set(SourceTree.sources.filter { imports($0).contains(module) }.map(\.target))
            #expect(targets.count == 1, "\(module) is imported by \(targets.sorted())")
        }
    }

    @Test func `tests reach C modules only through the targets that own them`() {
        let modules = Set(Self.ranks.filter { $0.value == 0 }.keys)
        for file in SourceTree.tests where !file.path.hasPrefix("Tests/Fuzz") {
            #expect(modules.isDisjoint(with: imports(file)), "\(file.path)")
        }
    }
}
