/// Writes JSON into bytes, commas included.
///
///     var json = JSONWriter()
///     json.object {
///         $0.field("id", id)
///         $0.array("data") { for name in names { $0.value(name) } }
///     }
///     send(json.bytes)
///
/// Misuse (a value without a key in an object, a key in an array, brackets that do not match) is a bug of the caller
/// and stops a debug build.
package struct JSONWriter {
    package private(set) var bytes: [UInt8]
    private var needsComma = false
    private var depth = 0
    /// Bit n: the n-th open bracket is that of an object.
    private var objects: UInt64 = 0
    private var hasKey = false

    /// Writes behind `bytes`, whose memory it takes over.
    package init(appendingTo bytes: [UInt8] = []) { self.bytes = bytes }

    package init(capacity: Int) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Forgets what was written but keeps the memory.
    package mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
        (needsComma, depth, objects, hasKey) = (false, 0, 0, false)
    }

    // MARK: Structure

    package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        openObject()
        try body(&self)
        closeObject()
    }

    package mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
        openArray()
        try body(&self)
        closeArray()
    }

    package mutating func openObject() { open(0x7B, isObject: true) }
    package mutating func closeObject() { close(0x7D, isObject: true) }
    package mutating func openArray() { open(0x5B, isObject: false) }
    package mutating func closeArray() { close(0x5D, isObject: false) }

    /// The key of the value that is written next.
    package mutating func key(_ name: StaticString) {
        precondition(name.hasPointerRepresentation)
        let name = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        assert(Self.isPlain(name), "a key of ours with something to escape")
        key(name, isPlain: true)
    }

    /// A key that is known only at run time.
    package mutating func key(dynamic name: String) {
        var name = name
        name.withUTF8 { key($0, isPlain: Self.isPlain($0)) }
    }

    // MARK: Values

    package mutating func value(_ string: String) {
        var string = string
        string.withUTF8 { value(utf8: $0) }
    }

    /// A string given as its UTF-8, which must be well formed.
    package mutating func value(utf8 string: UnsafeBufferPointer<UInt8>) {
        checkValue()
        append(quoted: string, isKey: false, isPlain: Self.isPlain(string))
        needsComma = true
        hasKey = false
    }

    package mutating func value(_ integer: Int) {
        beginValue()
        append(decimal: integer.magnitude, isNegative: integer < 0)
    }

    package mutating func value(_ integer: UInt64) {
        beginValue()
        append(decimal: UInt(integer), isNegative: false)
    }

    /// The shortest text that reads back as the same double. JSON has no infinities and no not-a-number: those stop
    /// a debug build and are `null` otherwise.
    package mutating func value(_ double: Double) {
        assert(double.isFinite, "not a JSON number: \(double)")
        guard double.isFinite else { return null() }
        beginValue()
        var text = double.description
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    package mutating func value(_ bool: Bool) {
        beginValue()
        append(bool ? "true" : "false")
    }

    package mutating func null() {
        beginValue()
        append("null")
    }

    /// Bytes that are one JSON value already.
    package mutating func raw(_ json: some Collection<UInt8>) {
        assert((try? JSONDocument(parsing: Array(json))) != nil, "not a JSON value")
        beginValue()
        if json.withContiguousStorageIfAvailable({ bytes.append(contentsOf: $0) }) == nil {
            bytes.append(contentsOf: json)
        }
    }

    /// A value of another document, as it was written there.
    package mutating func value(_ value: JSONValue) {
        beginValue()
        value.withText { bytes.append(contentsOf: $0.bytes(value.span)) }
    }
}

// MARK: - Inside
extension JSONWriter {
    private mutating func open(_ bracket: UInt8, isObject: Bool) {
        beginValue()
        assert(depth < JSONDocument.maximumDepth, "nested too deep")
        bytes.append(bracket)
        needsComma = false
        objects = objects << 1 | (isObject ? 1 : 0)
        depth += 1
    }

    private mutating func close(_ bracket: UInt8, isObject: Bool) {
        assert(depth > 0 && (objects & 1 == 1) == isObject, "closes a bracket that is not open")
        assert(!hasKey, "a key without a value")
        bytes.append(bracket)
        needsComma = true
        objects >>= 1
        depth -= 1
    }

    private mutating func key(_ name: UnsafeBufferPointer<UInt8>, isPlain: Bool) {
        assert(depth > 0 && objects & 1 == 1, "a key outside an object")
        assert(!hasKey, "a key after a key")
        append(quoted: name, isKey: true, isPlain: isPlain)
        needsComma = false
        hasKey = true
    }

    /// Whether it is short, and nothing in it is to be escaped: as most are.
    @inline(__always)
    private static func isPlain(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let base = text.baseAddress, text.count <= 256 else { return false }
        return Scan.firstSpecial(base, from: 0, to: text.count, nonASCII: false) == text.count
    }

    /// With the comma in front, and in one piece where it is plain.
    private mutating func append(quoted text: UnsafeBufferPointer<UInt8>, isKey: Bool, isPlain: Bool) {
        guard isPlain, let base = text.baseAddress else {
            if needsComma { bytes.append(0x2C) }
            bytes.append(0x22)
            Escape.append(text, to: &bytes)
            bytes.append(0x22)
            if isKey { bytes.append(0x3A) }
            return
        }
        let needsComma = needsComma
        bytes.append(addingCapacity: text.count + 4) { room in
            room.withUnsafeMutableBufferPointer { piece, end in
                guard let start = piece.baseAddress else { return }
                if needsComma {
                    start[0] = 0x2C
                    end = 1
                }
                start[end] = 0x22
                (start + end + 1).initialize(from: base, count: text.count)
                end += text.count + 1
                start[end] = 0x22
                end += 1
                if isKey {
                    start[end] = 0x3A
                    end += 1
                }
            }
        }
    }

    @inline(__always)
    private func checkValue() {
        assert(depth == 0 ? !needsComma : (objects & 1 == 1) == hasKey, "a value where none can be")
    }

    @inline(__always)
    private mutating func beginValue() {
        checkValue()
        if needsComma { bytes.append(0x2C) }
        needsComma = true
        hasKey = false
    }

    private mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(decimal magnitude: UInt, isNegative: Bool) {
        if isNegative { bytes.append(0x2D) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = magnitude
            var start = 20
            repeat {
                start -= 1
                digits[start] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest != 0
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start..<20]))
        }
    }
}
