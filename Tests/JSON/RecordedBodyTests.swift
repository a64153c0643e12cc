import Foundation
import Testing

@testable import JSON

/// Bodies recorded from real clients and providers.
struct RecordedBodyTests {
    private static let folder: URL = {
        let environment = ProcessInfo.processInfo.environment["HIVEGATE_SHARED"]
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent()
        let shared =
            environment.map { URL(fileURLWithPath: $0) } ?? repository.appendingPathComponent("../shared")
        return shared.appendingPathComponent("data/wire/recorded").standardizedFileURL
    }()

    private static let files: [URL] =
        ((try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? [])
        .filter { $0.pathExtension == "json" }.sorted { $0.path < $1.path }

    @Test(.enabled(if: !files.isEmpty, "no recorded bodies at \(folder.path)"))
    func `every recorded body is read, kept and normalised`() throws {
        var bodies = 0
        for file in Self.files {
            let recording = try JSONDocument(parsing: Array(Data(contentsOf: file)))
            for part in ["request", "response"] {
                guard let body = recording.root.member(part)?["body"]?.string, body.hasPrefix("{") else {
                    continue
                }
                let document = try parse(body)
                let foundation = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
                #expect(
                    Set(document.root.members.map { $0.key.string })
                        == Set(foundation.map { Array($0.keys) } ?? []))
                #expect(try document.patched([]) == Array(body.utf8))
                let canonical = document.canonical()
                #expect(try JSONDocument(parsing: canonical).canonical() == canonical)
                bodies += 1
            }
        }
        #expect(bodies > 50)
    }
}
