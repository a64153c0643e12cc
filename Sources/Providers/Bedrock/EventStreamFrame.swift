/// A message of `application/vnd.amazon.eventstream`.
struct EventStreamFrame: Equatable, Sendable {
    /// Those that are text, which are all that matter here.
    private(set) var headers: [String: String] = [:]
    let payload: [UInt8]

    /// `bytes` are a whole frame whose checksums are right.
    init(_ bytes: ArraySlice<UInt8>, headerCount: Int) throws(UpstreamFault) {
        let headerStart = bytes.startIndex + EventStreamParser.preludeSize
        let headerEnd = headerStart + headerCount
        payload = Array(bytes[headerEnd..<bytes.endIndex - EventStreamParser.checksumSize])
        var rest = bytes[headerStart..<headerEnd]
        while !rest.isEmpty { try takeHeader(from: &rest) }
    }

    private mutating func takeHeader(from rest: inout ArraySlice<UInt8>) throws(UpstreamFault) {
        let nameSize = Int(try Self.take(1, from: &rest)[0])
        let name = try Self.take(nameSize, from: &rest)
        let kind = try Self.take(1, from: &rest)[0]
        let size: Int
        switch kind {
        // True and false.
        case 0, 1: size = 0
        case 2: size = 1
        case 3: size = 2
        case 4: size = 4
        // A number and a time.
        case 5, 8: size = 8
        // Bytes and text.
        case 6, 7:
            let bytes = try Self.take(2, from: &rest)
            size = Int(bytes[0]) << 8 | Int(bytes[1])
        // A UUID.
        case 9: size = 16
        default: throw .garbled("a header of the unknown type \(kind)")
        }
        let value = try Self.take(size, from: &rest)
        if kind == 7 {
            headers[String(decoding: name, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
        }
    }

    private static func take(_ count: Int, from rest: inout ArraySlice<UInt8>) throws(UpstreamFault)
        -> [UInt8]
    {
        guard count <= rest.count else { throw .garbled("a header that ends behind its frame") }
        let taken = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
        return taken
    }
}
