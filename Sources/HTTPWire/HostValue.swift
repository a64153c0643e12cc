/// The rule for `Host` and for the authority of a target: a name, an IPv4 address or a bracketed IPv6
/// address, and perhaps a port. No userinfo, no encoding, no list, never empty.
enum HostValue {
    static func validate(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(RequestFault) {
        guard !range.isEmpty, range.count <= longest else { throw .invalidHost }
        var index = range.lowerBound
        if bytes[index] == ASCII.openBracket {
            index += 1
            let start = index
            while index < range.upperBound, isAddressByte(bytes[index]) { index += 1 }
            guard index - start >= 2, index < range.upperBound, bytes[index] == ASCII.closeBracket
            else { throw .invalidHost }
            index += 1
        } else {
            while index < range.upperBound, ByteSet.unreserved.contains(bytes[index]) { index &+= 1 }
            guard index > range.lowerBound else { throw .invalidHost }
        }
        if index == range.upperBound { return }
        guard bytes[index] == ASCII.colon else { throw .invalidHost }
        guard port(bytes, index + 1..<range.upperBound) != nil else { throw .invalidHost }
    }

    /// A name of 253 bytes and a port.
    private static let longest = 260

    static func port(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        guard (1...5).contains(range.count) else { return nil }
        var port = 0
        for index in range {
            guard ASCII.isDigit(bytes[index]) else { return nil }
            port = port * 10 + Int(bytes[index] - ASCII.zero)
        }
        return (1...65_535).contains(port) ? port : nil
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        ByteSet.hexDigit.contains(byte) || byte == ASCII.colon || byte == ASCII.dot
    }
}
