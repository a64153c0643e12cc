package import Chat
import HTTPWire
import JSON

/// Passes an upstream's events on to a client of the same dialect: their data byte for byte, in lines that every client
/// reads. Comments, names of events without data and identifiers stay behind, because some clients choke on them.
package struct StreamRelay: Sendable {
    /// What was passed on is kept up to here, to be counted where the provider does not say what it took.
    private static let longestTranscript = 1024 * 1024

    private var parser = SSEParser(eventLimit: JSONEventReader.largestEvent)
    package private(set) var watcher: any StreamWatcher
    private var isDone = false
    package private(set) var transcript: [UInt8] = []
    /// The bytes that were passed on, of which the transcript holds the first.
    package private(set) var passedOn = 0
    private static let done = Array("[DONE]".utf8)
    /// What tells a client that all has come, once it is there. It is not among the output.
    private var ending: [UInt8] = []

    package init(_ watcher: any StreamWatcher) { self.watcher = watcher }

    package var usage: ChatUsage? { watcher.usage }
    /// Whether all of it has come.
    package var isWhole: Bool { isDone || watcher.isWhole }

    /// Whether the event has come at which clients stop reading.
    private var isOver: Bool { isDone || watcher.isWhole && watcher.end.isEmpty }

    /// The event with which the stream ends, as soon as it has come; once.
    package mutating func takeEnding() -> [UInt8]? {
        if ending.isEmpty { return nil }
        defer { ending = [] }
        return ending
    }

    /// Appends the events that `bytes` complete, up to the one that ends the stream.
    package mutating func take(_ bytes: [UInt8], into output: inout [UInt8]) throws(UpstreamFault) {
        let start = output.count
        defer { keep(output[start...]) }
        var position = 0
        while true {
            switch bytes.withUnsafeBytes({ parser.next($0, &position) }) {
            case .needMore: return
            case .comment, .eventWithoutData: continue
            case .tooLarge: throw .garbled("an event of more than \(JSONEventReader.largestEvent) bytes")
            case .event:
                if isOver { continue }
                if parser.data == Self.done {
                    isDone = true
                    append(into: &ending)
                } else if try watcher.see(parser.event, try JSONDocument(upstream: parser.data)) {
                    if isOver { append(into: &ending) } else { append(into: &output) }
                }
            }
        }
    }

    /// The upstream has closed its stream: appends what of the end was not taken.
    package mutating func end(into output: inout [UInt8]) throws(UpstreamFault) {
        guard isWhole, isOver || !parser.endsWithinEvent else {
            throw .garbled("the stream broke off before its end")
        }
        if let ending = takeEnding() { output += ending }
        if !isDone { output.append(contentsOf: watcher.end) }
    }

    private func append(into output: inout [UInt8]) {
        SSEWriter.append(
            event: parser.event.isEmpty ? nil : String(decoding: parser.event, as: UTF8.self),
            data: parser.data, to: &output)
    }

    private mutating func keep(_ events: ArraySlice<UInt8>) {
        passedOn += events.count
        if passedOn <= Self.longestTranscript { transcript.append(contentsOf: events) }
    }
}
