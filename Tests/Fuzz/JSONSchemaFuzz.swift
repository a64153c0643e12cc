// fuzz-target: json-schema
// fuzz-modules: JSON
// fuzz-max-length: 2048
import JSON

/// A schema, and behind a NUL a value to check; without one, the schema itself is checked.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSONSchema(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let parts = UnsafeBufferPointer(start: start, count: count)
        .split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map { Array($0) }
    guard let text = parts.first, let document = try? JSONDocument(parsing: text),
        let value = parts.count > 1 ? try? JSONDocument(parsing: parts[1]) : document,
        let schema = compiled(document)
    else { return 0 }
    let faults = schema.faults(of: value.root)
    // One more says that there was too much to be checked.
    precondition(faults.count <= JSONSchema.largestFaultCount + 1)
    precondition(schema.nodes.count <= JSONSchema.largestNodeCount)
    let fits = faults.isEmpty

    // References are to places in the whole, and mean others in a schema around it.
    if text.contains(0x24) || isTooMuch(faults) { return 0 }
    for (keyword, ending, expected) in [
        ("allOf", "]", fits), ("anyOf", "]", fits), ("oneOf", "]", fits), ("not", "", !fits),
    ] {
        let begin = "{\"\(keyword)\":\(ending.isEmpty ? "" : "[")"
        let around = Array(begin.utf8) + text + Array("\(ending)}".utf8)
        guard let wider = try? JSONDocument(parsing: around), let schema = compiled(wider) else { continue }
        let faults = schema.faults(of: value.root)
        if isTooMuch(faults) { continue }
        precondition(faults.isEmpty == expected, "under \(keyword) a schema means another thing")
    }
    return 0
}

/// nil where it is none, for reasons that are told.
private func compiled(_ document: JSONDocument) -> JSONSchema? {
    do throws(JSONSchema.Faults) {
        return try JSONSchema(document.root)
    } catch {
        precondition(
            (1...JSONSchema.largestFaultCount).contains(error.faults.count), "refused without a reason")
        return nil
    }
}

private func isTooMuch(_ faults: [JSONSchema.Fault]) -> Bool {
    faults.contains { $0.message.hasPrefix("is too much to be checked") }
}
