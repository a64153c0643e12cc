import JSON

/// What clients say that their requests are about: by these use is added up, too.
enum RequestTags {
    /// As OpenAI has it.
    private static let most = 16
    private static let longestName = 64
    private static let longestValue = 512

    /// The texts among `metadata`, as an object; the first of more. What is longer is no tag.
    static func tags(of document: JSONDocument) -> [UInt8]? {
        guard let metadata = document["metadata"], metadata.kind == .object else { return nil }
        var tags: [(name: String, value: String)] = []
        for member in metadata.members where tags.count < most {
            guard let value = member.value.string, value.utf8.count <= longestValue, !value.utf8.contains(0)
            else {
                continue
            }
            let name = member.key.string
            guard !name.isEmpty, name.utf8.count <= longestName, !name.utf8.contains(0),
                !tags.contains(where: { $0.name == name })
            else { continue }
            tags.append((name, value))
        }
        if tags.isEmpty { return nil }
        var json = JSONWriter(capacity: 64 * tags.count)
        json.object { json in
            for tag in tags {
                json.key(dynamic: tag.name)
                json.value(tag.value)
            }
        }
        return json.bytes
    }

    /// As sums and budgets have them: `team=search`.
    static func texts(of tags: [UInt8]?) -> Set<String> {
        guard let tags, let document = try? JSONDocument(parsing: tags) else { return [] }
        return Set(document.root.members.map { "\($0.key.string)=\($0.value.string ?? "")" })
    }
}
