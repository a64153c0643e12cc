import Chat
import JSON

/// Citations that say where a text comes from. Places within a document of the request have no address and mean
/// nothing outside of this dialect.
enum AnthropicCitations {
    static func read(_ citations: JSONValue?) -> [ChatCitation] {
        guard let citations = citations.present else { return [] }
        return citations.elements.compactMap(citation)
    }

    static func citation(_ value: JSONValue) -> ChatCitation? {
        guard let url = value["url"]?.string else { return nil }
        return ChatCitation(url: url, title: value["title"]?.string, quote: value["cited_text"]?.string)
    }

    static func write(_ citation: ChatCitation, to json: inout JSONWriter) {
        json.object { json in
            json.field("type", "web_search_result_location")
            json.field("cited_text", citation.quote ?? "")
            // What only the searching provider can read; clients want the member.
            json.field("encrypted_index", "")
            json.field("title", citation.title)
            json.field("url", citation.url)
        }
    }
}
