/// A target imports only targets of a lower rank, and a C module is imported by one target. The compiler lets
/// transitive imports through, so the files are read.
enum ImportRules {
    static let ranks: [String: Int] = [
        "CArgon2": 0, "CCrypto": 0, "CCurl": 0, "CHiredis": 0, "CLinux": 0, "CPostgres": 0,
        "CZstd": 0,
        "Base": 1, "JSON": 1,
        "HTTPWire": 2, "Loop": 2,
        "HTTPClient": 3, "HTTPServer": 3, "Postgres": 3, "Redis": 3,
        "Chat": 4, "LocalServers": 4, "Stripe": 4,
        "Admission": 5, "Cache": 5, "Catalog": 5, "Identity": 5, "Ledger": 5, "Providers": 5,
        "Analytics": 6, "Billing": 6, "Budgets": 6, "Metering": 6,
        "Gateway": 7,
        "hivegate": 8,
    ]
    static let cModules = ranks.filter { $0.value == 0 }.keys.sorted()
    /// What the toolchain brings. Foundation is not among it: it has no place on the request path.
    private static let toolchain: Set<String> = ["Glibc", "Synchronization"]

    static func imports(_ file: SourceTree.File) -> [String] {
        file.lines.compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard let position = words.firstIndex(of: "import"), position < 2, position + 1 < words.count,
                !line.trimmed.hasPrefix("//")
            else { return nil }
            return words[position + 1]
        }
    }

    static func violations(_ files: [SourceTree.File]) -> [String] {
        files.flatMap { file in
            imports(file).filter { !toolchain.contains($0) }.compactMap { module -> String? in
                guard let rank = ranks[file.target] else { return "\(file.target) has no rank" }
                guard let other = ranks[module] else {
                    return "\(file.path) imports \(module), which is none of ours"
                }
                return other < rank ? nil : "\(file.path) imports \(module), which does not lie below"
            }
        }
    }

    static func owners(of module: String, in files: [SourceTree.File]) -> [String] {
        Set(files.filter { imports($0).contains(module) }.map(\.target)).sorted()
    }
}
