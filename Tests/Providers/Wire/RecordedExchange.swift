import Foundation
import JSON
import Testing

/// A real exchange with a provider, recorded by somebody else. They are not part of the project: tests that replay them
/// are left out where they are not to be had.
struct RecordedExchange: CustomTestStringConvertible {
    let name: String
    let uri: String
    let requestBody: [UInt8]
    let status: Int
    let responseBody: [UInt8]

    var testDescription: String { name }

    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("shared/data/wire")

    static var areThere: Bool {
        FileManager.default.fileExists(atPath: folder.appendingPathComponent("recorded").path)
    }

    /// Those whose file names begin with one of `prefixes`, in the order of their names.
    static func all(_ prefixes: String...) -> [RecordedExchange] {
        let recorded = folder.appendingPathComponent("recorded")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: recorded.path)) ?? []
        return names.sorted().filter { name in prefixes.contains { name.hasPrefix($0) } }
            .map { name in
                do { return try RecordedExchange(recorded.appendingPathComponent(name)) } catch {
                    fatalError("\(name): \(error)")
                }
            }
    }

    private init(_ file: URL) throws {
        let document = try JSONDocument(parsing: [UInt8](Data(contentsOf: file)))
        let request = try #require(document["request"])
        let response = try #require(document["response"])
        name = file.deletingPathExtension().lastPathComponent
        uri = try #require(request["uri"]?.string)
        requestBody = Self.body(request)
        status = try #require(response["status"]?.int)
        responseBody = Self.body(response)
    }

    private static func body(_ side: JSONValue) -> [UInt8] {
        if let text = side["body"]?.string { return Array(text.utf8) }
        guard let text = side["body_b64"]?.string, let data = Data(base64Encoded: text) else { return [] }
        return [UInt8](data)
    }
}
