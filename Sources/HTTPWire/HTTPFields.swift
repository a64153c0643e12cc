import Base

/// Header fields in their order, kept as the bytes they have on the wire and an index into them: a request's
/// fields cost two allocations however many there are, and a response's are copied out in one piece.
///
/// Names compare without case. A field that cannot be sent (a name that is no token, a value with a control
/// character) is left out and remembered in `fault`; whoever writes the fields must refuse them then, so that
/// a response can never be split.
package struct HTTPFields: Sendable {
    /// The wire form; for a request it holds the request line too.
    private(set) var bytes: [UInt8]
    private(set) var lines: [Line]
    /// The lengths of the names, a bit for each: most names that are not there are not looked for.
    private var nameLengths: UInt64
    /// The first field that could not be taken.
    package private(set) var fault: FieldFault?

    /// Where one field lies in `bytes`.
    struct Line: Equatable, Sendable {
        var nameStart: UInt32
        var nameCount: UInt32
        var valueStart: UInt32
        var valueCount: UInt32

        var name: Range<Int> { Int(nameStart)..<Int(nameStart + nameCount) }
        var value: Range<Int> { Int(valueStart)..<Int(valueStart + valueCount) }
    }

    package enum FieldFault: Error, Equatable, Sendable {
        case invalidName
        case invalidValue(name: String)
    }

    package init() {
        bytes = []
        lines = []
        nameLengths = 0
    }

    /// For the request parser, which has checked the lines.
    init(bytes: [UInt8], lines: [Line]) {
        self.bytes = bytes
        self.lines = lines
        nameLengths = .max
    }

    private static func bit(ofLength length: Int) -> UInt64 { 1 << UInt64(min(length, 63)) }

    package var count: Int { lines.count }
    package var isEmpty: Bool { lines.isEmpty }

    // MARK: Reading

    /// The value of the first field called `name`. A view: nothing is copied.
    package subscript(_ name: String) -> ArraySlice<UInt8>? {
        guard let index = firstIndex(of: name) else { return nil }
        return bytes[lines[index].value]
    }

    package func string(_ name: String) -> String? {
        self[name].map { String(decoding: $0, as: UTF8.self) }
    }

    package func contains(_ name: String) -> Bool { firstIndex(of: name) != nil }

    /// Whether the name of any begins with `prefix`, which is in lower case.
    package func contains(prefix: StaticString) -> Bool {
        let prefix = UnsafeRawBufferPointer(prefix)
        return bytes.withUnsafeBytes { bytes in
            lines.contains { line in
                guard line.nameCount >= prefix.count else { return false }
                let start = Int(line.nameStart)
                for offset in 0..<prefix.count
                where ASCII.lowercased(bytes[start &+ offset]) != prefix[offset] { return false }
                return true
            }
        }
    }

    /// The values of every field called `name`, in order.
    package func values(_ name: String) -> [ArraySlice<UInt8>] {
        var found: [ArraySlice<UInt8>] = []
        for line in lines where matches(line, name) { found.append(bytes[line.value]) }
        return found
    }

    /// Every field in order, as text. For logs, signatures and tests, not for the request path.
    package var pairs: [(name: String, value: String)] {
        lines.map {
            (
                String(decoding: bytes[$0.name], as: UTF8.self),
                String(decoding: bytes[$0.value], as: UTF8.self)
            )
        }
    }

    private func firstIndex(of name: String) -> Int? {
        var name = name
        return name.withUTF8 { name in
            bytes.withUnsafeBufferPointer { bytes in
                lines.firstIndex { Self.matches($0, name, in: bytes) }
            }
        }
    }

    private func matches(_ line: Line, _ name: String) -> Bool {
        var name = name
        return name.withUTF8 { name in
            bytes.withUnsafeBufferPointer { Self.matches(line, name, in: $0) }
        }
    }

    @inline(__always)
    private static func matches(
        _ line: Line, _ name: UnsafeBufferPointer<UInt8>, in bytes: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        guard Int(line.nameCount) == name.count else { return false }
        let start = Int(line.nameStart)
        for offset in 0..<name.count
        where ASCII.lowercased(bytes[start &+ offset]) != ASCII.lowercased(name[offset]) { return false }
        return true
    }

    // MARK: Building

    /// Adds a field after the others. See `fault` for what happens to one that cannot be sent.
    package mutating func append(_ name: String, _ value: String) {
        var value = value
        value.withUTF8 { append(name, UnsafeRawBufferPointer($0)) }
    }

    package mutating func append(_ name: String, _ value: [UInt8]) {
        value.withUnsafeBytes { append(name, $0) }
    }

    package mutating func append(_ name: String, _ value: Int) {
        append(name, String(value))
    }

    /// A field of ours whose value is a number: there is nothing to check.
    package mutating func append(known name: StaticString, _ value: Int) {
        let most = DecimalDigits.most
        withUnsafeTemporaryAllocation(byteCount: 1 + most, alignment: 1) { text in
            var start = DecimalDigits.write(value.magnitude, before: 1 + most, in: text)
            if value < 0 {
                start -= 1
                text[start] = 0x2D
            }
            append(known: name, UnsafeRawBufferPointer(rebasing: text[start...]))
        }
    }

    /// A field of ours with a value of ours.
    package mutating func append(known name: StaticString, _ value: StaticString) {
        appendLine(UnsafeRawBufferPointer(name), UnsafeRawBufferPointer(value))
    }

    package mutating func append(known name: StaticString, known value: String) {
        var value = value
        value.withUTF8 { append(known: name, UnsafeRawBufferPointer($0)) }
    }

    package mutating func append(known name: StaticString, _ value: UnsafeRawBufferPointer) {
        appendLine(UnsafeRawBufferPointer(name), value)
    }

    /// A field of ours with a value of somebody's.
    package mutating func append(known name: StaticString, _ value: String) {
        var value = value
        value.withUTF8 { value in
            appendChecked(UnsafeRawBufferPointer(name), UnsafeRawBufferPointer(value))
        }
    }

    package mutating func append(_ name: String, _ value: UnsafeRawBufferPointer) {
        var name = name
        name.withUTF8 { name in
            if !name.isEmpty, name.allSatisfy(ByteSet.token.contains) {
                appendChecked(UnsafeRawBufferPointer(name), value)
            } else {
                fault = fault ?? .invalidName
            }
        }
    }

    private mutating func appendChecked(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        let trimmed = value.trimmed(0..<value.count)
        if value.firstControl(in: trimmed) == nil {
            appendLine(name, UnsafeRawBufferPointer(rebasing: value[trimmed]))
        } else {
            fault = fault ?? .invalidValue(name: String(decoding: name, as: UTF8.self))
        }
    }

    /// In one piece: each of five would cost as much.
    private mutating func appendLine(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        if lines.isEmpty { reserve() }
        nameLengths |= Self.bit(ofLength: name.count)
        let start = bytes.count
        bytes.append(count: name.count + value.count + 4) { line in
            line.copyMemory(from: name)
            line[name.count] = 0x3A
            line[name.count &+ 1] = 0x20
            UnsafeMutableRawBufferPointer(rebasing: line[(name.count &+ 2)...]).copyMemory(from: value)
            line[line.count &- 2] = 0x0D
            line[line.count &- 1] = 0x0A
        }
        lines.append(
            Line(
                nameStart: UInt32(start), nameCount: UInt32(name.count),
                valueStart: UInt32(start + name.count + 2), valueCount: UInt32(value.count)))
    }

    /// What most answers need: growing step by step costs five times the allocations.
    private mutating func reserve() {
        bytes.reserveCapacity(700)
        lines.reserveCapacity(16)
    }

    /// Adds every field of `other`.
    package mutating func append(contentsOf other: HTTPFields) {
        fault = fault ?? other.fault
        nameLengths |= other.nameLengths
        let wire = other.wireForm
        if wire.isEmpty { return }
        let shift = UInt32(bytes.count)
        bytes.append(contentsOf: wire)
        for var line in other.isWireForm ? other.lines : other.rebuilt.lines {
            line.nameStart += shift
            line.valueStart += shift
            lines.append(line)
        }
    }

    /// The lines, each with its line end.
    package var wireForm: [UInt8] { isWireForm ? bytes : rebuilt.bytes }

    /// Whether `bytes` are the lines and nothing else. A request's have the request line before them.
    private var isWireForm: Bool { lines.first.map { $0.nameStart == 0 } ?? bytes.isEmpty }

    private var rebuilt: HTTPFields {
        var fields = HTTPFields()
        for line in lines {
            let name = String(decoding: bytes[line.name], as: UTF8.self)
            bytes.withUnsafeBytes { fields.append(name, UnsafeRawBufferPointer(rebasing: $0[line.value])) }
        }
        return fields
    }

    /// Puts `value` in the place of every field called `name`.
    package mutating func replace(_ name: String, _ value: String) {
        remove(name)
        append(name, value)
    }

    /// The same for a field of ours.
    package mutating func replace(known name: StaticString, _ value: String) {
        if contains(UnsafeRawBufferPointer(name)) { remove("\(name)") }
        append(known: name, value)
    }

    package mutating func replace(known name: StaticString, _ value: Int) {
        if contains(UnsafeRawBufferPointer(name)) { remove("\(name)") }
        append(known: name, value)
    }

    private func contains(_ name: UnsafeRawBufferPointer) -> Bool {
        if nameLengths & Self.bit(ofLength: name.count) == 0 { return false }
        let name = name.assumingMemoryBound(to: UInt8.self)
        return bytes.withUnsafeBufferPointer { bytes in
            lines.contains { Self.matches($0, name, in: bytes) }
        }
    }

    package mutating func remove(_ name: String) {
        guard contains(name) else { return }
        var kept = HTTPFields()
        for line in lines where !matches(line, name) {
            let other = String(decoding: bytes[line.name], as: UTF8.self)
            bytes.withUnsafeBytes { kept.append(other, UnsafeRawBufferPointer(rebasing: $0[line.value])) }
        }
        kept.fault = fault
        self = kept
    }
}

extension UnsafeRawBufferPointer {
    fileprivate init(_ text: StaticString) {
        self.init(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}

extension HTTPFields: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) {
        self.init()
        for (name, value) in elements { append(name, value) }
    }
}

extension HTTPFields: Equatable {
    /// The same names (without case) and values in the same order.
    package static func == (left: HTTPFields, right: HTTPFields) -> Bool {
        left.lines.count == right.lines.count && left.fault == right.fault
            && zip(left.lines, right.lines).allSatisfy { first, second in
                left.bytes[first.value] == right.bytes[second.value]
                    && left.bytes[first.name].map(ASCII.lowercased)
                        == right.bytes[second.name].map(ASCII.lowercased)
            }
    }
}
