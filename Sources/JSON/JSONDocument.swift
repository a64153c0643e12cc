/// A complete, validated JSON text (RFC 8259) together with its bytes.
///
/// One pass proves the whole text well formed and notes where each object and array ends; after that every access is
/// a view that reads the bytes in place. What is accepted is stricter than the RFC where leniency has bitten
/// others: keys are unique (also after unescaping), surrogate escapes are paired, UTF-8 is well formed.
package struct JSONDocument: Sendable {
    let storage: Storage

    /// Objects and arrays may nest this deep.
    package static let maximumDepth = 64
    /// Offsets are kept in 32 bits.
    package static let maximumBytes = Int(Int32.max)
    /// `1e999999999` is a number, `1e9999999999` is refused: its value could not be normalised cheaply.
    package static let maximumExponentDigits = 9

    /// Validates all of `bytes`.
    package init(parsing bytes: [UInt8], maximumDepth: Int = Self.maximumDepth) throws(JSONError) {
        precondition(maximumDepth > 0 && maximumDepth <= 512, "the validator recurses once per level")
        guard bytes.count <= Self.maximumBytes else {
            throw JSONError(.tooLarge(limit: Self.maximumBytes), at: Self.maximumBytes)
        }
        var index: [Container] = []
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<ByteSpan, JSONError> in
            var validator = Validator(buffer, maximumDepth: maximumDepth)
            defer { index = validator.containers }
            do throws(JSONError) { return .success(try validator.document()) } catch {
                return .failure(error)
            }
        }
        let root = try result.get()
        storage = Storage(bytes: bytes, containers: index, root: root)
    }

    /// The text, exactly as it was given.
    package var bytes: [UInt8] { storage.bytes }

    package var root: JSONValue { JSONValue(storage: storage, span: storage.root, container: 0) }

    /// The member `key` of the root, if the root is an object that has one.
    package subscript(_ key: StaticString) -> JSONValue? { root[key] }
}

/// Half-open range of byte offsets.
struct ByteSpan: Equatable, Sendable {
    var start: UInt32
    var end: UInt32

    init(_ start: Int, _ end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
    }

    var count: Int { Int(end) - Int(start) }
}

/// One object or array, in the order of their opening brackets: with this a reader steps over one in no time.
struct Container: Sendable {
    /// The offset just after the closing bracket.
    var end: UInt32
    /// The index of the first container that opens after this one has closed.
    var next: UInt32
}

/// What a document and all views of it share. Never changes.
final class Storage: Sendable {
    let bytes: [UInt8]
    let containers: [Container]
    let root: ByteSpan

    init(bytes: [UInt8], containers: [Container], root: ByteSpan) {
        self.bytes = bytes
        self.containers = containers
        self.root = root
    }

    @inline(__always)
    func withText<Result>(_ body: (Text) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { bytes in
            containers.withUnsafeBufferPointer { body(Text(bytes: bytes, containers: $0)) }
        }
    }
}
