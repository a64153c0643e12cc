import Foundation
import Testing

struct TidyTests {
    private let all = SourceTree.sources + SourceTree.tests

    @Test func `no file is longer than can be read in one sitting, no function longer than two screens`() {
        #expect(TidyRules.longFiles(all) == [])
        #expect(TidyRules.longFunctions(all) == [])
    }

    @Test func `no code is kept in comments, and every file has a part in the program`() {
        #expect(TidyRules.commentedCode(all) == [])
        #expect(TidyRules.deadFiles(SourceTree.sources) == [])
    }

    @Test func `nothing is unfinished, forced or shared without a reason`() {
        #expect(TidyRules.forbidden(SourceTree.sources) == [])
        #expect(TidyRules.unreasonedSharing(SourceTree.sources) == [])
    }

    @Test func `every target is described, and stands in the map`() throws {
        let map = try String(
            contentsOf: SourceTree.root.appendingPathComponent("Sources/README.md"), encoding: .utf8)
        for target in Set(SourceTree.sources.map(\.target)) {
            let readme = SourceTree.root.appendingPathComponent("Sources/\(target)/README.md")
            #expect(FileManager.default.fileExists(atPath: readme.path), "\(target) has no README.md")
            #expect(map.contains("`\(target)`"), "Sources/README.md does not name \(target)")
        }
    }

    @Test func `nothing but what belongs there lies at the top`() throws {
        let allowed: Set = [
            ".build", ".ci", ".git", ".gitignore", ".hivegate", ".pytest_cache", ".swift-format", ".swiftpm",
            ".venv", "CHANGELOG.md", "LICENSE", "Makefile", "Package.swift", "README.md", "Sources", "Tests",
            "catalog", "dist", "docker", "migrations",
        ]
        let found = try FileManager.default.contentsOfDirectory(atPath: SourceTree.root.path)
        #expect(Set(found).subtracting(allowed).isEmpty)
    }
}

/// The rules find what they are there for.
struct TidyRulesTests {
    private func file(_ text: String, path: String = "Sources/Base/Planted.swift") -> SourceTree.File {
        SourceTree.File(
            path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    }

    @Test func `a file and a function that are too long are found`() {
        let body = String(repeating: "        work()\n", count: 101)
        #expect(TidyRules.longFunctions([file("struct A {\n    func long() {\n\(body)    }\n}")]).count == 1)
        #expect(
            TidyRules.longFunctions([file("struct A {\n    func short() {\n        work()\n    }\n}")]) == [])
        #expect(TidyRules.longFunctions([file("    let a = A(b: .init(c: 0))\n\(body)    }\n}")]) == [])
        #expect(TidyRules.longFiles([file(String(repeating: "\n", count: 501))]).count == 1)
    }

    @Test func `code in comments is found, prose is not`() {
        #expect(TidyRules.commentedCode([file("// let a = 1\n// return a")]).count == 1)
        #expect(TidyRules.commentedCode([file("// Let it be: what follows is prose.\n// It returns.")]) == [])
    }

    @Test func `a file that nobody uses is found`() {
        let dead = file("struct Lonely {}", path: "Sources/Base/Lonely.swift")
        let used = file("struct Used {}", path: "Sources/Base/Used.swift")
        let main = file("@main\nstruct Main { let part: Used }", path: "Sources/hivegate/Main.swift")
        #expect(TidyRules.deadFiles([dead, used, main]) == ["Sources/Base/Lonely.swift"])
    }

    @Test func `unfinished and forced code is found, and sharing without a reason`() {
        #expect(TidyRules.forbidden([file("let a = try! b()"), file("// TODO: later")]).count == 2)
        let unsaid = "final class A: @unchecked Sendable {}"
        #expect(TidyRules.unreasonedSharing([file("\n\(unsaid)")]).count == 1)
        #expect(TidyRules.unreasonedSharing([file("// Confined to its loop.\n\(unsaid)")]) == [])
    }

    @Test func `an import upwards, sideways or of what is not ours is found, and a C module with two owners`()
    {
        let upward = file("import Gateway", path: "Sources/Loop/A.swift")
        let sideways = file("package import HTTPWire", path: "Sources/Loop/B.swift")
        let foreign = file("import Foundation", path: "Sources/Loop/C.swift")
        let allowed = file("import Base\nimport Glibc\nimport CLinux", path: "Sources/Loop/D.swift")
        #expect(ImportRules.violations([upward, sideways, foreign, allowed]).count == 3)
        let second = file("import CLinux", path: "Sources/HTTPServer/E.swift")
        #expect(ImportRules.owners(of: "CLinux", in: [allowed, second]) == ["HTTPServer", "Loop"])
    }
}
