import Glibc

/// A view of a string inside a document, a key or a value. `switch` over it with literals takes no memory.
package struct JSONString: Sendable, CustomStringConvertible {
    let storage: Storage
    /// Between the quotes.
    let span: ByteSpan
    let hasEscapes: Bool

    /// `hasEscapes` is found out when nil.
    init(storage: Storage, span: ByteSpan, hasEscapes: Bool?) {
        self.storage = storage
        self.span = span
        self.hasEscapes =
            hasEscapes ?? storage.withText { memchr($0.base + Int(span.start), 0x5C, span.count) != nil }
    }

    /// Without escapes.
    package var string: String {
        if !hasEscapes { return storage.withText { String(decoding: $0.bytes(span), as: UTF8.self) } }
        var plain: [UInt8] = []
        append(to: &plain)
        return String(decoding: plain, as: UTF8.self)
    }

    package var description: String { string }

    /// Appends the UTF-8 of the string, without escapes.
    package func append(to output: inout [UInt8]) {
        storage.withText { Unescape.append($0.bytes(span), to: &output) }
    }

    /// The number of bytes as written, between the quotes: at least that of the unescaped UTF-8.
    package var writtenCount: Int { span.count }

    package static func == (string: JSONString, literal: StaticString) -> Bool {
        precondition(literal.hasPointerRepresentation)
        let literal = UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
        return string.storage.withText {
            isEqual($0.bytes(string.span), literal, hasEscapes: string.hasEscapes)
        }
    }

    package static func == (string: JSONString, other: String) -> Bool {
        var other = other
        return other.withUTF8 { other in
            string.storage.withText { isEqual($0.bytes(string.span), other, hasEscapes: string.hasEscapes) }
        }
    }

    package static func ~= (literal: StaticString, string: JSONString) -> Bool { string == literal }

    /// Whether the string written as `written` is `plain`.
    static func isEqual(
        _ written: UnsafeBufferPointer<UInt8>, _ plain: UnsafeBufferPointer<UInt8>, hasEscapes: Bool
    ) -> Bool {
        if hasEscapes { return isEqualUnescaped(written, plain) }
        guard written.count == plain.count else { return false }
        guard let left = written.baseAddress, let right = plain.baseAddress else { return true }
        return memcmp(left, right, written.count) == 0
    }

    private static func isEqualUnescaped(
        _ written: UnsafeBufferPointer<UInt8>, _ plain: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        guard written.count > plain.count else { return false }
        var unescaped: [UInt8] = []
        Unescape.append(written, to: &unescaped)
        return unescaped.elementsEqual(plain)
    }
}
