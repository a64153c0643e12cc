/// Why bytes are not a JSON document we accept, and where. Safe to show to whoever sent them.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    package let reason: Reason
    /// Bytes from the start of the document.
    package let offset: Int

    package enum Reason: Equatable, Sendable {
        /// The document is empty or holds only white space.
        case empty
        case byteOrderMark
        /// More bytes than a document may have.
        case tooLarge(limit: Int)
        case unexpectedEnd(expected: Expectation)
        case unexpectedCharacter(expected: Expectation)
        case bytesAfterEnd
        case tooDeep(limit: Int)
        /// The key as a client may read it: cut at `JSONError.maximumKeyLength` characters.
        case duplicateKey(String)
        case invalidUTF8
        case controlCharacter
        case invalidEscape
        case loneSurrogate
        case invalidNumber
        /// An exponent of more than `JSONDocument.maximumExponentDigits` digits.
        case numberOutOfRange
    }

    package enum Expectation: String, Equatable, Sendable {
        case value = "a value"
        case keyOrEnd = "a key or '}'"
        case key = "a key"
        case colon = "':'"
        case commaOrObjectEnd = "',' or '}'"
        case commaOrArrayEnd = "',' or ']'"
        case stringEnd = "'\"'"
        case digit = "a digit"
    }

    /// How much of a duplicate key a message shows, in characters.
    package static let maximumKeyLength = 64

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String {
        switch reason {
        case .empty: "the document is empty"
        case .byteOrderMark: "a byte order mark is not allowed"
        case .tooLarge(let limit): "the document is larger than \(limit) bytes"
        case .unexpectedEnd(let expected):
            "the document ends at byte \(offset): expected \(expected.rawValue)"
        case .unexpectedCharacter(let expected):
            "unexpected character at byte \(offset): expected \(expected.rawValue)"
        case .bytesAfterEnd: "unexpected character at byte \(offset): expected the end of the document"
        case .tooDeep(let limit): "nesting deeper than \(limit) at byte \(offset)"
        case .duplicateKey(let key): "duplicate key \"\(key)\" at byte \(offset)"
        case .invalidUTF8: "invalid UTF-8 at byte \(offset)"
        case .controlCharacter: "unescaped control character in a string at byte \(offset)"
        case .invalidEscape: "invalid escape sequence at byte \(offset)"
        case .loneSurrogate: "unpaired surrogate escape at byte \(offset)"
        case .invalidNumber: "invalid number at byte \(offset)"
        case .numberOutOfRange: "number out of range at byte \(offset)"
        }
    }

    /// A duplicate of the key whose unescaped bytes these are, made fit to be shown.
    static func duplicateKey(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> JSONError {
        // A character has at most 4 bytes of UTF-8 here; a cut in the middle of one is dropped below.
        let text = String(decoding: bytes.prefix(maximumKeyLength * 4), as: UTF8.self).unicodeScalars
        var shown = String.UnicodeScalarView()
        for scalar in text.prefix(maximumKeyLength) {
            let isPrintable = scalar.properties.generalCategory.isPrintable && scalar != "\""
            shown.append(isPrintable ? scalar : "\u{FFFD}")
        }
        if text.count > maximumKeyLength { shown.append("…") }
        return JSONError(.duplicateKey(String(shown)), at: offset)
    }
}

extension Unicode.GeneralCategory {
    fileprivate var isPrintable: Bool {
        switch self {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            false
        default: true
        }
    }
}
