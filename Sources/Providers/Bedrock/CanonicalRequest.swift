import Base
import HTTPWire

/// A request in the one form in which AWS and we compute the same signature of it.
struct CanonicalRequest {
    let text: String
    /// The names of the fields that are signed, sorted.
    let signedFields: String

    init(_ request: SigV4.Request, adding added: [(name: String, value: String)]) {
        let pieces = request.path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = Self.path(pieces.first.map(String.init) ?? "")
        let query = pieces.count > 1 ? Self.query(String(pieces[1])) : ""
        let fields = Self.fields([(name: "Host", value: request.host)] + request.fields + added)
        signedFields = fields.map(\.name).joined(separator: ";")
        let lines = fields.map { "\($0.name):\($0.value)\n" }.joined()
        let digest = String(hex: Digest.sha256(request.body))
        text = "\(request.method)\n\(path)\n\(query)\n\(lines)\n\(signedFields)\n\(digest)"
    }

    /// Without dots and empty segments, and encoded once more than it is sent.
    private static func path(_ sent: String) -> String {
        var segments: [Substring] = []
        for segment in sent.split(separator: "/") {
            switch segment {
            case ".": continue
            case "..": _ = segments.popLast()
            default: segments.append(segment)
            }
        }
        let path = segments.map { "/\(PercentCoding.encode(String($0)))" }.joined()
        let last = sent.split(separator: "/", omittingEmptySubsequences: false).last
        let isOpen = last == "" || last == "." || last == ".."
        return path.isEmpty || isOpen ? "\(path)/" : path
    }

    /// Sorted by names, then values, each encoded in one way.
    private static func query(_ sent: String) -> String {
        sent.split(separator: "&").map { item -> (String, String) in
            let pieces = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (encodedAnew(pieces[0]), pieces.count > 1 ? encodedAnew(pieces[1]) : "")
        }
        .sorted { $0 < $1 }
        .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    private static func encodedAnew(_ text: Substring) -> String {
        PercentCoding.encode(PercentCoding.decode(Array(text.utf8)[...]) ?? String(text))
    }

    /// By their names in small letters, with values of one name joined and blanks squeezed.
    private static func fields(
        _ fields: [(name: String, value: String)]
    ) -> [(name: String, value: String)] {
        var values: [String: [String]] = [:]
        for field in fields {
            values[field.name.lowercased(), default: []].append(squeezed(field.value))
        }
        return values.sorted { $0.key < $1.key }
            .map { (name: $0.key, value: $0.value.joined(separator: ",")) }
    }

    private static func squeezed(_ value: String) -> String {
        value.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
    }
}
