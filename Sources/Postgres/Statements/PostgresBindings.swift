/// The parameters of a statement, in wire form: one buffer, and where each value lies in it.
struct PostgresBindings: Sendable {
    /// Values one after the other, each followed by a NUL: libpq reads values in text form up to it.
    private(set) var bytes: [UInt8] = []
    /// Where each value starts; -1 is NULL.
    private(set) var offsets: [Int32] = []
    private(set) var lengths: [Int32] = []
    private(set) var formats: [Int32] = []
    private(set) var types: [UInt32] = []
    /// The first parameter that cannot be sent.
    private(set) var fault: String?

    /// The protocol counts parameters with 16 bits.
    static let maximumCount = 65_535
    /// Far above any statement of ours, and below what the server refuses (1 GB).
    static let maximumSize = 256 << 20

    var count: Int { types.count }

    mutating func append(_ value: some PostgresEncodable) {
        append(value, type: type(of: value).postgresType, format: type(of: value).postgresFormat)
    }

    mutating func append<Value: PostgresEncodable>(_ value: Value?) {
        if let value {
            append(value)
        } else {
            offsets.append(-1)
            lengths.append(0)
            formats.append(Value.postgresFormat.rawValue)
            types.append(Value.postgresType.rawValue)
            checkBounds()
        }
    }

    mutating func append(contentsOf other: PostgresBindings) {
        let base = Int32(truncatingIfNeeded: bytes.count)
        bytes.append(contentsOf: other.bytes)
        offsets.append(contentsOf: other.offsets.map { $0 < 0 ? $0 : $0 &+ base })
        lengths.append(contentsOf: other.lengths)
        formats.append(contentsOf: other.formats)
        types.append(contentsOf: other.types)
        fault = fault ?? other.fault
        checkBounds()
    }

    private mutating func append(_ value: some PostgresEncodable, type: PostgresType, format: PostgresFormat)
    {
        guard fault == nil else { return types.append(type.rawValue) }
        let start = bytes.count
        value.encode(into: &bytes)
        if format == .text, bytes[start...].contains(0) {
            fault = "parameter $\(count + 1): text cannot hold the character NUL"
        }
        offsets.append(Int32(truncatingIfNeeded: start))
        lengths.append(Int32(truncatingIfNeeded: bytes.count - start))
        bytes.append(0)
        formats.append(format.rawValue)
        types.append(type.rawValue)
        checkBounds()
    }

    private mutating func checkBounds() {
        if count > Self.maximumCount { fault = fault ?? "more than \(Self.maximumCount) parameters" }
        if bytes.count > Self.maximumSize {
            fault = fault ?? "more than \(Self.maximumSize) bytes of parameters"
        }
    }

    /// Lends the values as libpq wants them. Call it only without a `fault`.
    func withPointers<Result>(_ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result) -> Result {
        guard count > 0 else { return body(nil) }
        return bytes.withUnsafeBytes { buffer in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { pointers in
                for index in 0..<count {
                    let offset = Int(offsets[index])
                    let start = offset < 0 ? nil : buffer.baseAddress.map { $0 + offset }
                    pointers.initializeElement(at: index, to: start?.assumingMemoryBound(to: CChar.self))
                }
                return body(UnsafePointer(pointers.baseAddress))
            }
        }
    }
}
