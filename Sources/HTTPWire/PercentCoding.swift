import Base

/// Percent-encoding (RFC 3986, 2.1), strict: a `%` without two hexadecimal digits, an encoded NUL and bytes
/// that are not UTF-8 have no decoding.
///
/// `%2F` in a path segment decodes to a slash *within* that segment's value. Segments are separated before
/// they are decoded, so it never separates; whoever makes a file name of a value must refuse it there.
package enum PercentCoding {
    package static func decode(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool = false) -> String? {
        guard let decoded = decodeBytes(bytes, plusIsSpace: plusIsSpace), UTF8Validator.isValid(decoded)
        else { return nil }
        return String(decoding: decoded, as: UTF8.self)
    }

    package static func decodeBytes(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool = false) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            if byte == ASCII.percent {
                guard index + 1 < bytes.endIndex, let high = ASCII.hexValue(bytes[index]),
                    let low = ASCII.hexValue(bytes[index + 1]), high | low != 0
                else { return nil }
                decoded.append(high << 4 | low)
                index += 2
            } else if byte == 0 {
                return nil
            } else {
                decoded.append(plusIsSpace && byte == ASCII.plus ? ASCII.space : byte)
            }
        }
        return decoded
    }

    /// Encodes everything but the unreserved characters, in capitals; `keepingSlash` for whole paths.
    package static func encode(_ text: String, keepingSlash: Bool = false) -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            if ByteSet.unreserved.contains(byte) || (keepingSlash && byte == ASCII.slash) {
                encoded.append(byte)
            } else {
                encoded.append(ASCII.percent)
                encoded.append(hexDigit(byte >> 4))
                encoded.append(hexDigit(byte & 15))
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x37 + nibble }
}
