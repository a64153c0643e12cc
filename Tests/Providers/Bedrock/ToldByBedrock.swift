import Base
import Chat
import Foundation
import JSON
import Testing

@testable import Providers

/// What an answer of Converse says, for comparing what a codec made of it with what its bytes say.
struct ToldByBedrock: Equatable {
    var text = ""
    /// Identifier, name and canonical arguments of each call.
    var calls: [[String]] = []
    var thoughts = ""
    /// As Bedrock has them.
    var seals: [String] = []
    var finish = ""
    var usage: [Int] = []

    init() {}

    init(_ reply: ChatReply, sealOrigin: ChatDialect) throws {
        text = reply.text
        for part in reply.parts {
            switch part.content {
            case .reasoning(let reasoning):
                thoughts += reasoning.text
                guard let seal = reasoning.seal else { continue }
                #expect(seal.origin == sealOrigin)
                let isText = seal.origin == .anthropic && seal.replacesText
                seals.append(isText ? Data(seal.data.utf8).base64EncodedString() : seal.data)
            case .toolCall(let call):
                calls.append([call.id, call.name, ToldByAnthropic.canonical(call.arguments)])
            case .text: break
            default: Issue.record("no such part was recorded")
            }
        }
        finish = ToldByAnthropic.words[reply.finish.reason] ?? ""
        let used = try #require(reply.usage)
        usage = [
            used.input, used.cacheRead, used.cacheWrite, used.cacheWriteHour, used.output, used.reasoning,
        ]
    }

    init(whole root: JSONValue) throws {
        for block in try #require(root["output"]?["message"]?["content"]).elements {
            text += block["text"]?.string ?? ""
            if let call = block["toolUse"] {
                calls.append([
                    try #require(call["toolUseId"]?.string), try #require(call["name"]?.string),
                    ToldByAnthropic.canonical(try #require(call["input"])),
                ])
            }
            thoughts += block["reasoningContent"]?["reasoningText"]?["text"]?.string ?? ""
            let signature = block["reasoningContent"]?["reasoningText"]?["signature"]?.string
            if let seal = signature ?? block["reasoningContent"]?["redactedContent"]?.string {
                seals.append(seal)
            }
        }
        try take(stop: root["stopReason"]?.string, usage: root["usage"])
    }

    private mutating func take(stop: String?, usage: JSONValue?) throws {
        finish =
            switch try #require(stop) {
            case "max_tokens": "length"
            case "tool_use": "calls"
            case "guardrail_intervened", "content_filtered": "filter"
            default: "stop"
            }
        let usage = try #require(usage)
        self.usage = [
            usage["inputTokens"]?.int ?? 0, usage["cacheReadInputTokens"]?.int ?? 0,
            usage["cacheWriteInputTokens"]?.int ?? 0, 0, usage["outputTokens"]?.int ?? 0, 0,
        ]
    }

    /// The frames of a stream, taken apart by their lengths alone, and added up.
    init(stream: [UInt8]) throws {
        var arguments: [Int: String] = [:]
        var starts: [Int: JSONValue] = [:]
        var signatures: [Int: String] = [:]
        var stop: String?
        var usage: JSONValue?
        for event in try Self.events(stream) {
            if let seen = event["stopReason"]?.string { stop = seen }
            if let seen = event["usage"] { usage = seen }
            guard let index = event["contentBlockIndex"]?.int else { continue }
            if let start = event["start"]?["toolUse"] { starts[index] = start }
            guard let delta = event["delta"] else { continue }
            text += delta["text"]?.string ?? ""
            arguments[index, default: ""] += delta["toolUse"]?["input"]?.string ?? ""
            thoughts += delta["reasoningContent"]?["text"]?.string ?? ""
            let seal =
                delta["reasoningContent"]?["signature"]?.string
                ?? delta["reasoningContent"]?["redactedContent"]?.string
            if let seal { signatures[index, default: ""] += seal }
        }
        for (index, start) in starts.sorted(by: { $0.key < $1.key }) {
            let text = arguments[index] ?? ""
            calls.append([
                try #require(start["toolUseId"]?.string), try #require(start["name"]?.string),
                ToldByAnthropic.canonical(text.isEmpty ? "{}" : text),
            ])
        }
        seals = signatures.sorted { $0.key < $1.key }.map(\.value)
        try take(stop: stop, usage: usage)
    }

    static func events(_ stream: [UInt8]) throws -> [JSONValue] {
        func number(_ index: Int) -> Int { stream[index..<index + 4].reduce(0) { $0 << 8 | Int($1) } }
        var events: [JSONValue] = []
        var start = 0
        while start < stream.count {
            let payload = stream[start + 12 + number(start + 4)..<start + number(start) - 4]
            events.append(try JSONDocument(parsing: Array(payload)).root)
            start += number(start)
        }
        return events
    }
}
