// fuzz-target: json
// fuzz-modules: JSON
// fuzz-max-length: 4096

import JSON

/// What a valid document promises: every view can be read, a patch of nothing is the source, and the canonical form is
/// a document with the same canonical form.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzJSON(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let source = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let document = try? JSONDocument(parsing: source) else { return 0 }
    let canonical = document.canonical()
    guard let reread = try? JSONDocument(parsing: canonical) else {
        preconditionFailure("the canonical form is not valid")
    }
    precondition(reread.canonical() == canonical, "the canonical form is not its own")
    precondition(read(document.root) == read(reread.root), "the canonical form has other values in it")

    precondition((try? document.patched([])) == source, "a patch of nothing changes something")
    var writer = JSONWriter()
    writer.value(document.root)
    let same = try? document.patched([.set([], writer.bytes)])
    precondition(same == source, "putting the root in its own place changes something")
    for member in document.root.members.prefix(4) {
        let key = JSONPathStep.key(member.key.string)
        guard let removed = try? document.patched([.remove([key])]),
            let rest = try? JSONDocument(parsing: removed)
        else { preconditionFailure("removing a member breaks the document") }
        precondition(rest.root.member(member.key.string) == nil && rest.root.count == document.root.count - 1)
    }
    for index in 0..<min(4, document.root.kind == .array ? document.root.count : 0) {
        guard let removed = try? document.patched([.remove([.index(index)]), .append([], [0x30])]),
            let rest = try? JSONDocument(parsing: removed)
        else { preconditionFailure("removing an element breaks the document") }
        precondition(rest.root.count == document.root.count)
    }
    return 0
}

/// The number of values, through every kind of view.
private func read(_ value: JSONValue) -> Int {
    switch value.kind {
    case .object:
        value.members.reduce(1) { sum, member in
            precondition(member.key == member.key.string)
            return sum + read(member.value)
        }
    case .array: value.elements.reduce(1) { $0 + read($1) }
    case .string: value.string == nil ? 0 : 1
    case .number: number(value)
    case .bool: value.bool == nil ? 0 : 1
    case .null: 1
    }
}

/// One, and the double of an integer is that integer's.
private func number(_ value: JSONValue) -> Int {
    if let integer = value.int {
        precondition(value.double == Double(integer), "two readings of one number differ")
    }
    return value.number == nil ? 0 : 1
}
