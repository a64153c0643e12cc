import Foundation
import Testing

/// Whether the events of a response's stream fit each other, whoever has written them.
enum ResponsesStreamCheck {
    static func events(_ stream: [UInt8]) throws -> [[String: Any]] {
        let text = String(decoding: stream, as: UTF8.self).replacingOccurrences(of: "\r\n", with: "\n")
        return try text.components(separatedBy: "\n\n").compactMap { event in
            let lines = event.split(separator: "\n")
            guard let data = lines.first(where: { $0.hasPrefix("data:") })?.dropFirst(5),
                !data.contains(Regex(/^ ?\[DONE\]/))
            else { return nil }
            let object = try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any]
            let fields = try #require(object)
            if let name = lines.first(where: { $0.hasPrefix("event: ") }) {
                #expect(name.dropFirst(7) == fields["type"] as? String ?? "")
            }
            return fields
        }
    }

    static func check(_ stream: [UInt8]) throws {
        let events = try events(stream)
        #expect(events.map { $0["sequence_number"] as? Int } == Array(0..<events.count))
        #expect(events.first?["type"] as? String == "response.created")
        let last = try #require(events.last)
        #expect(["response.completed", "response.incomplete"].contains(last["type"] as? String))
        let response = try #require(last["response"] as? [String: Any])
        let output = try #require(response["output"] as? [[String: Any]])
        var ended: [Int: [String: Any]] = [:]
        var begun: Set<Int> = []
        var texts: [String: String] = [:]
        for event in events.dropLast() where event["output_index"] != nil {
            let type = try #require(event["type"] as? String)
            let index = try #require(event["output_index"] as? Int)
            #expect(ended[index] == nil, "\(type) after the end of its item")
            if type == "response.output_item.added" {
                #expect(begun.insert(index).inserted && begun == Set(0...index))
            } else {
                #expect(begun.contains(index))
            }
            if type == "response.output_item.done" { ended[index] = event["item"] as? [String: Any] }
            let part = event["content_index"] as? Int ?? event["summary_index"] as? Int ?? 0
            let place = "\(type.split(separator: ".").dropFirst().first ?? "") \(index) \(part)"
            if let delta = event["delta"] as? String { texts[place, default: ""] += delta }
            let wholes = ["text", "refusal", "arguments", "input"].compactMap { event[$0] as? String }
            if let whole = wholes.first { #expect(texts[place, default: ""] == whole, "\(place)") }
        }
        #expect(ended.count == output.count)
        for (index, item) in output.enumerated() {
            #expect(NSDictionary(dictionary: item) == NSDictionary(dictionary: ended[index] ?? [:]))
        }
    }
}
