import Foundation

/// The project's own files, as text.
struct SourceTree {
    struct File {
        /// From the project's root: `Sources/Base/Instant.swift`.
        let path: String
        let lines: [String]

        var name: String { String(path.split(separator: "/").last ?? "") }
        /// The target that a file under `Sources` belongs to.
        var target: String { String(path.split(separator: "/")[1]) }
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Files with that ending below `folder`, in the order of their paths.
    static func files(in folder: String, ending: String) -> [File] {
        let base = root.appendingPathComponent(folder)
        let paths = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return paths.filter { $0.hasSuffix(ending) && !$0.hasPrefix(".") }.sorted().compactMap { path in
            guard let text = try? String(contentsOf: base.appendingPathComponent(path), encoding: .utf8)
            else {
                return nil
            }
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            return File(path: "\(folder)/\(path)", lines: lines)
        }
    }

    static let sources = files(in: "Sources", ending: ".swift")
    static let tests = files(in: "Tests", ending: ".swift")
}

extension String {
    /// How far the line is indented.
    var indentation: Int { prefix { $0 == " " }.count }

    var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
