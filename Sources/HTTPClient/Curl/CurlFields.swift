import CCurl

/// A request's fields as libcurl's list, kept for the next request that has the same.
// Confined to its loop.
final class CurlFields {
    private let fields: [(name: String, value: String)]
    private let extra: [String]
    let list: UnsafeMutablePointer<curl_slist>?

    /// `extra` are whole lines of ours.
    init(_ fields: [(name: String, value: String)], extra: [String]) throws(HTTPClientError) {
        var lines = extra
        for field in fields {
            let line = "\(field.name): \(field.value)"
            guard !line.utf8.contains(where: { $0 == 0 || $0 == 10 || $0 == 13 }) else {
                throw HTTPClientError(.invalidRequest, detail: "field \(field.name) holds a line break")
            }
            // A semicolon is libcurl's way to say "send it, with no value".
            lines.append(field.value.isEmpty ? "\(field.name);" : line)
        }
        self.fields = fields
        self.extra = extra
        list = lines.reduce(nil) { curl_slist_append($0, $1) }
    }

    deinit { curl_slist_free_all(list) }

    func isMade(of fields: [(name: String, value: String)], extra: [String]) -> Bool {
        self.extra == extra && self.fields.count == fields.count
            && zip(self.fields, fields).allSatisfy { $0 == $1 }
    }
}
