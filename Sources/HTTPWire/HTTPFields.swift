import Base

/// Header fields in their order, kept as the bytes they have on the wire: those that came with an index into them, which their
/// parser has made anyway; those that we write, which hardly anybody reads before the other side, without, and copied out in
/// one piece.
///
/// Names compare without case. A field that cannot be sent (a name that is no token, a value with a control
/// character) is left out and remembered in `fault`; whoever writes the fields must refuse them then, so that
/// a response can never be split.
package struct HTTPFields: Sendable {
    /// The wire form; of a message that came it holds the first line too.
    private(set) var bytes: [UInt8]
    /// The lines of a message that came; where there is no index, `bytes` are the lines and nothing else.
    private var index: [Line]?
    /// The lengths of the names, a bit for each: most names that are not there are not looked for.
    private var nameLengths: UInt64
    /// Whether one that was appended is the response writer's.
    private var hasFramingField = false
    /// The first field that could not be taken.
    package private(set) var fault: FieldFault?

    /// Where one field lies in `bytes`.
    struct Line: Equatable, Sendable {
        var nameStart: UInt32
        var nameCount: UInt32
        var valueStart: UInt32
        var valueCount: UInt32

        init(_ field: FieldLine, from start: Int = 0) {
            nameStart = UInt32(truncatingIfNeeded: field.name.lowerBound - start)
            nameCount = UInt32(truncatingIfNeeded: field.name.count)
            valueStart = UInt32(truncatingIfNeeded: field.value.lowerBound - start)
            valueCount = UInt32(truncatingIfNeeded: field.value.count)
        }

        init(name: Range<Int>, value: Range<Int>) {
            self.init(FieldLine(name: name, value: value))
        }

        var name: Range<Int> { Int(nameStart)..<Int(nameStart + nameCount) }
        var value: Range<Int> { Int(valueStart)..<Int(valueStart + valueCount) }
    }

    package enum FieldFault: Error, Equatable, Sendable {
        case invalidName
        case invalidValue(name: String)
    }

    package init() {
        bytes = []
        nameLengths = 0
    }

    /// For the parsers, which have checked the lines.
    init(bytes: [UInt8], lines: [Line]) {
        self.bytes = bytes
        index = lines
        nameLengths = .max
    }

    private static func bit(ofLength length: Int) -> UInt64 { 1 << UInt64(min(length, 63)) }

    package var count: Int { lines.count }
    package var isEmpty: Bool { index?.isEmpty ?? bytes.isEmpty }

    /// Where the fields lie.
    var lines: [Line] { index ?? Self.lines(of: bytes) }

    /// Of what was appended here: a name has no colon, and a value no line feed.
    private static func lines(of bytes: [UInt8]) -> [Line] {
        bytes.withUnsafeBytes { bytes in
            var lines: [Line] = []
            var start = 0
            while let end = bytes.firstIndex(of: ASCII.lineFeed, from: start),
                let colon = bytes.firstIndex(of: ASCII.colon, from: start)
            {
                lines.append(Line(name: start..<colon, value: colon + 2..<end - 1))
                start = end + 1
            }
            return lines
        }
    }

    // MARK: Reading

    /// The value of the first field called `name`. A view: nothing is copied.
    package subscript(_ name: String) -> ArraySlice<UInt8>? {
        first(name).map { bytes[$0.value] }
    }

    package func string(_ name: String) -> String? {
        self[name].map { String(decoding: $0, as: UTF8.self) }
    }

    package func contains(_ name: String) -> Bool { first(name) != nil }

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

    private func first(_ name: String) -> Line? {
        var name = name
        return name.withUTF8 { first(UnsafeRawBufferPointer($0)) }
    }

    private func first(_ name: UnsafeRawBufferPointer) -> Line? {
        if nameLengths & Self.bit(ofLength: name.count) == 0 { return nil }
        let name = name.assumingMemoryBound(to: UInt8.self)
        return bytes.withUnsafeBufferPointer { bytes in
            if let index { return index.first { Self.matches($0, name, in: bytes) } }
            return Self.first(name, of: bytes)
        }
    }

    /// The same of what was appended here.
    private static func first(
        _ name: UnsafeBufferPointer<UInt8>, of bytes: UnsafeBufferPointer<UInt8>
    ) -> Line? {
        var start = 0
        while let end = UnsafeRawBufferPointer(bytes).firstIndex(of: ASCII.lineFeed, from: start) {
            let colon = start + name.count
            if colon < end, bytes[colon] == ASCII.colon {
                let line = Line(name: start..<colon, value: colon + 2..<end - 1)
                if matches(line, name, in: bytes) { return line }
            }
            start = end + 1
        }
        return nil
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
        let name = UnsafeRawBufferPointer(name)
        begin(name)
        bytes.append(atMost: name.count + 1 + DecimalDigits.most + 4) {
            $0.write(name)
            $0.write(": ")
            if value < 0 { $0.write(0x2D) }
            $0.write(decimal: value.magnitude)
            $0.write("\r\n")
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
        begin(name)
        bytes.append(atMost: name.count + value.count + 4) {
            $0.write(name)
            $0.write(": ")
            $0.write(value)
            $0.write("\r\n")
        }
    }

    @inline(__always)
    private mutating func begin(_ name: UnsafeRawBufferPointer) {
        beOnlyLines()
        nameLengths |= Self.bit(ofLength: name.count)
        if Self.isFraming(name) { hasFramingField = true }
    }

    @inline(__always)
    private static func isFraming(_ name: UnsafeRawBufferPointer) -> Bool {
        switch name.count {
        case 4: name.matches(0..<4, "date")
        case 10: name.matches(0..<10, "connection")
        case 14: name.matches(0..<14, "content-length")
        case 17: name.matches(0..<17, "transfer-encoding")
        default: false
        }
    }

    /// Before anything is appended. With room for what most answers need: growing step by step costs five times the allocations.
    private mutating func beOnlyLines() {
        if index != nil { self = rebuilt }
        if bytes.isEmpty { bytes.reserveCapacity(700) }
    }

    /// Adds every field of `other`.
    package mutating func append(contentsOf other: HTTPFields) {
        fault = fault ?? other.fault
        if other.isEmpty { return }
        let other = other.index == nil ? other : other.rebuilt
        beOnlyLines()
        nameLengths |= other.nameLengths
        hasFramingField = hasFramingField || other.hasFramingField
        bytes.append(contentsOf: other.bytes)
    }

    /// Whether one of them would contradict what the response writer says of the message.
    var namesFramingField: Bool { index == nil ? hasFramingField : rebuilt.hasFramingField }

    /// The lines, each with its line end.
    package var wireForm: [UInt8] { index == nil ? bytes : rebuilt.bytes }

    private var rebuilt: HTTPFields {
        var fields = HTTPFields()
        fields.fault = fault
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
        if first(UnsafeRawBufferPointer(name)) != nil { remove("\(name)") }
        append(known: name, value)
    }

    package mutating func replace(known name: StaticString, _ value: Int) {
        if first(UnsafeRawBufferPointer(name)) != nil { remove("\(name)") }
        append(known: name, value)
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
