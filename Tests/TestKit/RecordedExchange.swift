package import Foundation
import JSON

/// A real exchange with a provider, recorded by somebody else. They are not part of the project: tests that replay them
/// are left out where they are not to be had.
package struct RecordedExchange: Sendable, CustomStringConvertible {
    package let name: String
    package let uri: String
    package let requestBody: [UInt8]
    package let status: Int
    package let responseBody: [UInt8]

    package var description: String { name }

    /// Of all that is recorded.
    package static let folder: URL = {
        let given = ProcessInfo.processInfo.environment["HIVEGATE_SHARED"]
        return URL(fileURLWithPath: given ?? "\(Project.root)/../shared").standardizedFileURL
            .appendingPathComponent("data/wire")
    }()

    package static var areThere: Bool {
        FileManager.default.fileExists(atPath: folder.appendingPathComponent("recorded").path)
    }

    /// Those whose file names begin with one of `prefixes`, in the order of their names.
    package static func all(_ prefixes: String...) -> [RecordedExchange] {
        let recorded = folder.appendingPathComponent("recorded")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: recorded.path)) ?? []
        return names.sorted().filter { name in prefixes.contains { name.hasPrefix($0) } }
            .map { name in
                do { return try RecordedExchange(recorded.appendingPathComponent(name)) } catch {
                    preconditionFailure("\(name): \(error)")
                }
            }
    }

    /// What is no recording.
    private struct Unreadable: Error {}

    private init(_ file: URL) throws {
        let document = try JSONDocument(parsing: [UInt8](Data(contentsOf: file)))
        guard let request = document["request"], let response = document["response"],
            let uri = request["uri"]?.string, let status = response["status"]?.int
        else { throw Unreadable() }
        name = file.deletingPathExtension().lastPathComponent
        self.uri = uri
        requestBody = Self.body(request)
        self.status = status
        responseBody = Self.body(response)
    }

    private static func body(_ side: JSONValue) -> [UInt8] {
        if let text = side["body"]?.string { return Array(text.utf8) }
        guard let text = side["body_b64"]?.string, let data = Data(base64Encoded: text) else { return [] }
        return [UInt8](data)
    }
}
