import Chat
import JSON

/// Citations of what has an address; places within a document of the request have none.
enum BedrockCitations {
    static func citation(_ value: JSONValue) -> ChatCitation? {
        guard let url = value["location"]?["web"]?["url"]?.string else { return nil }
        return ChatCitation(url: url, title: value["title"]?.string, quote: quote(value["sourceContent"]))
    }

    static func read(_ citations: JSONValue?) -> [ChatCitation] {
        guard let citations = citations.present else { return [] }
        return citations.elements.compactMap(citation)
    }

    /// The texts of a list of blocks, or nil where there are none.
    static func quote(_ blocks: JSONValue?) -> String? {
        guard let blocks = blocks.present else { return nil }
        let texts = blocks.elements.compactMap { $0["text"]?.string }
        return texts.isEmpty ? nil : texts.joined()
    }
}
