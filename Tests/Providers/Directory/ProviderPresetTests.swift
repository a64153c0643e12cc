import Chat
import Foundation
import Providers
import TestKit
import Testing

struct ProviderPresetTests {
    @Test func `a name leads to one provider, whichever of its names it is`() {
        var seen: Set<String> = []
        for preset in ProviderPreset.all {
            for name in [preset.name] + preset.aliases {
                #expect(seen.insert(name).inserted, "\(name) is there twice")
                #expect(ProviderPreset.named(name) == preset)
                // A model's name is cut at its first slash.
                #expect(!name.isEmpty && name.allSatisfy { $0.isASCII && !"/ ".contains($0) })
                #expect(name == name.lowercased())
            }
        }
        #expect(ProviderPreset.all.count >= 24)
        #expect(ProviderPreset.named("nobody") == nil)
    }

    @Test func `providers are reached encrypted, or do not leave this machine`() throws {
        for preset in ProviderPreset.all where preset.chat != .sandbox {
            let filled = try #require(
                preset.baseURL(filling: ["resource": "contoso", "region": "eu-central-1"]), "\(preset.name)")
            let url = try #require(URL(string: filled), "\(filled)")
            let isLocal = url.host == "127.0.0.1"
            #expect(url.scheme == (isLocal ? "http" : "https"), "\(filled)")
            #expect(url.query == nil && url.fragment == nil && url.user == nil)
            #expect(!filled.hasSuffix("/") && !filled.contains("{") && !filled.contains("}"))
            #expect(preset.isKeyOptional == isLocal, "\(preset.name)")
            #expect(!preset.keyEnvironment.isEmpty && !preset.baseURLEnvironment.isEmpty)
        }
    }

    @Test func `a provider does something that we speak, and says how it knows who asks`() {
        for preset in ProviderPreset.all {
            let speaks = preset.chat != nil || preset.embeddings != nil || preset.images != nil
            #expect(speaks || preset.name == "deepgram", "\(preset.name)")
            #expect((preset.authorization == .none) == (preset.chat == .sandbox), "\(preset.name)")
        }
    }

    @Test(arguments: [
        "", "a.b", "evil.com/", "a@b", "a#", "-a", "a-", "a b", "ä", String(repeating: "a", count: 64),
    ])
    func `a customer's part of a host cannot become another host`(value: String) {
        let azure = ProviderPreset.named("azure")
        #expect(azure?.baseURL(filling: ["resource": value]) == nil)
        #expect(azure?.baseURL(filling: [:]) == nil)
        #expect(
            azure?.baseURL(filling: ["resource": "contoso-1"])
                == "https://contoso-1.openai.azure.com/openai/v1")
    }

    @Test func `an Ollama lists its models in OpenAI's shape, beside its own dialect`() throws {
        let ollama = try #require(ProviderPreset.named("ollama"))
        let settings = try Upstream.Settings(ollama, keys: [])
        #expect(settings.baseURL + (settings.modelsPath ?? "") == "http://127.0.0.1:11434/v1/models")
    }

    @Test(.enabled(if: ModelFacts.areThere))
    func `every provider whose prices are known has a preset`() throws {
        let providers = try ModelFacts.providers()
        #expect(providers.count > 10)
        for provider in providers {
            #expect(ProviderPreset.named(provider) != nil, "\(provider) has none")
        }
    }
}

/// The list of models and prices that the catalogue was made from. It is not part of the project.
private enum ModelFacts {
    private static let file = RecordedExchange.folder.deletingLastPathComponent()
        .appendingPathComponent("models.csv")

    static var areThere: Bool { FileManager.default.fileExists(atPath: file.path) }

    static func providers() throws -> Set<String> {
        let lines = try String(contentsOf: file, encoding: .utf8).split(whereSeparator: \.isNewline)
        let rows = lines.drop { $0.hasPrefix("#") }.dropFirst()
        return Set(rows.map { String($0.prefix { $0 != "," }) })
    }
}
