import Base
import Catalog
import Testing

struct CatalogSnapshotTests {
    private let snapshot = CatalogSnapshot(
        [
            CatalogModel("groq", "openai/gpt-oss-120b") { $0.slug = "gpt-oss-120b" },
            CatalogModel("together", "openai/gpt-oss-120b") { $0.slug = "gpt-oss-120b" },
            CatalogModel("openai", "gpt-4o") { $0.aliases = ["omni"] },
            CatalogModel("azure", "gpt-4o"),
            CatalogModel("gemini", "gemini-2.5-pro"),
            CatalogModel("anthropic", "claude-haiku-4-5") { $0.aliases = ["claude-haiku-4.5"] },
        ], providerAliases: ["google": "gemini"])

    private func ids(_ name: String) -> [String] { snapshot.models(named: name).map(\.id) }

    @Test func `an id names one model, and a slug each that goes by it`() {
        #expect(ids("openai/gpt-4o") == ["openai/gpt-4o"])
        #expect(ids("gpt-4o") == ["azure/gpt-4o", "openai/gpt-4o"])
        #expect(ids("gpt-oss-120b") == ["groq/openai/gpt-oss-120b", "together/openai/gpt-oss-120b"])
        #expect(ids("groq/gpt-oss-120b") == ["groq/openai/gpt-oss-120b"])
        // Whoever names a provider gets no other.
        #expect(ids("openai/gpt-oss-120b") == [])
        #expect(ids("gpt-4") == [] && ids("") == [] && ids("/") == [] && ids("openai/") == [])
    }

    @Test func `an alias is another name, with a provider and without`() {
        #expect(ids("omni") == ["openai/gpt-4o"] && ids("openai/omni") == ["openai/gpt-4o"])
        #expect(ids("azure/omni") == [])
        #expect(ids("claude-haiku-4.5") == ["anthropic/claude-haiku-4-5"])
        #expect(ids("OpenAI/GPT-4o") == ["openai/gpt-4o"])
        #expect(ids("google/gemini-2.5-pro") == ["gemini/gemini-2.5-pro"])
        #expect(snapshot.model(id: "google/gemini-2.5-pro") == nil)
    }

    @Test func `an id is found before a name that looks like it`() {
        let snapshot = CatalogSnapshot([
            CatalogModel("acme", "one"), CatalogModel("acme", "two") { $0.aliases = ["one"] },
        ])
        #expect(snapshot.models(named: "acme/one").map(\.id) == ["acme/one"])
        #expect(snapshot.models(named: "one").map(\.id) == ["acme/one", "acme/two"])
    }

    @Test func `who mistypes a name is told the nearest`() {
        #expect(snapshot.nearest(to: "opnai/gpt-4o").first == "openai/gpt-4o")
        #expect(snapshot.nearest(to: "gpt4o") == ["gpt-4o"])
        #expect(snapshot.nearest(to: "GPT-OSS-12b") == ["gpt-oss-120b"])
        #expect(snapshot.nearest(to: "google/gemini-2.5-por") == ["gemini/gemini-2.5-pro"])
        #expect(snapshot.nearest(to: "something else entirely") == [])
        #expect(
            snapshot.nearest(to: "") == []
                && snapshot.nearest(to: String(repeating: "x", count: 10_000)) == [])
        #expect(snapshot.nearest(to: "openai/gpt-4o", limit: 0) == [])
    }

    /// Against the textbook's table, for names and mistakes that nobody has chosen.
    @Test func `the nearest are those that need the fewest changes`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        func word() -> String {
            String(
                (0..<Int.random(in: 1...9, using: &random)).map { _ in
                    "abc-".randomElement(using: &random) ?? "a"
                })
        }
        let names = Set((0..<60).map { _ in word() })
        let snapshot = CatalogSnapshot(names.map { CatalogModel("p", $0) })
        for _ in 0..<300 {
            let wanted = word()
            let most = min(6, max(1, wanted.utf8.count / 3))
            let expected = names.map { (Self.distance($0, wanted), $0) }.filter { $0.0 <= most }
                .sorted { $0 < $1 }.map(\.1)
            #expect(snapshot.nearest(to: wanted, limit: 100) == expected, "seed \(seed), \(wanted)")
        }
    }

    private static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left), Array(right))
        var table = (0...left.count).map { row in (0...right.count).map { row == 0 ? $0 : row } }
        for row in 1...left.count {
            for column in 1...right.count {
                table[row][column] = min(
                    table[row - 1][column] + 1, table[row][column - 1] + 1,
                    table[row - 1][column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1))
            }
        }
        return table[left.count][right.count]
    }
}
