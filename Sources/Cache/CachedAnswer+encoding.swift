import Base
import Chat

/// In bytes:
///
///     version   1
///     checksum  8, little-endian: the xxHash of all that follows
///     flags     1: whether the body is compressed
///     the properties, then the body's length, and the body up to the end
///
/// Other processes may be of another version. One that does not know an entry's version has no such entry.
extension CachedAnswer {
    private static let version: UInt8 = 3
    private static let headCount = checksumCount + 2
    private static let checksumCount = 8
    private static let isCompressed: UInt8 = 1
    /// Below this little would be gained.
    private static let smallestCompressed = 2048
    /// What libzstd makes of a byte at the very most; an entry that claims more is none.
    private static let largestRatio = 1 << 16

    package func encoded() -> [UInt8] {
        var writer = EntryWriter()
        for _ in 0..<Self.headCount { writer.write(byte: 0) }
        write(to: &writer)
        let flags: UInt8
        switch content {
        case .forwarded(_, _, _, let bytes): flags = Self.write(body: bytes, to: &writer)
        case .events(let events):
            var body = EntryWriter()
            for event in events { body.write(event) }
            flags = Self.write(body: body.bytes[...], to: &writer)
        }
        var bytes = writer.bytes
        bytes[0] = Self.version
        bytes[Self.headCount - 1] = flags
        bytes.withUnsafeMutableBytes { bytes in
            let checksum = Self.checksum(of: UnsafeRawBufferPointer(bytes)).littleEndian
            bytes.storeBytes(of: checksum, toByteOffset: 1, as: UInt64.self)
        }
        return bytes
    }

    private static func checksum(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        XXHash64.hash(of: UnsafeRawBufferPointer(rebasing: bytes[(1 + checksumCount)...]))
    }

    private func write(to writer: inout EntryWriter) {
        writer.write(origin.requestID)
        writer.write(Int(origin.created.microseconds))
        writer.write(origin.attempts)
        writer.write(Int(storedAt.microseconds))
        writer.write(lifetimeSeconds)
        writer.write(provider)
        writer.write(model)
        writer.write(upstreamModel)
        writer.write(usage != nil)
        if let usage { writer.write(usage) }
        writer.write(costNanodollars != nil)
        if let costNanodollars { writer.write(Int(costNanodollars)) }
        switch content {
        case .forwarded(let dialect, let isStream, let contentType, _):
            writer.write(byte: 0)
            writer.write(word: dialect)
            writer.write(isStream)
            writer.write(contentType)
        case .events: writer.write(byte: 1)
        }
    }

    /// Gives the flags.
    private static func write(body: ArraySlice<UInt8>, to writer: inout EntryWriter) -> UInt8 {
        writer.write(count: body.count)
        if body.count > smallestCompressed,
            let compressed = body.withUnsafeBytes({ ZstdContexts.shared.compressed($0) })
        {
            writer.write(raw: compressed)
            return isCompressed
        }
        writer.write(raw: body)
        return 0
    }

    /// nil for what is not exactly what `encoded` writes: cut off, changed, longer, of another version.
    package init?(decoding bytes: [UInt8]) {
        let answer = bytes.withUnsafeBufferPointer { entry -> CachedAnswer? in
            guard entry.count > Self.headCount, entry[0] == Self.version else { return nil }
            let raw = UnsafeRawBufferPointer(entry)
            let checksum = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
            guard checksum == Self.checksum(of: raw) else { return nil }
            var reader = EntryReader(UnsafeBufferPointer(rebasing: entry[Self.headCount...]))
            return try? CachedAnswer(reading: &reader, of: bytes, flags: entry[Self.headCount - 1])
        }
        guard let answer else { return nil }
        self = answer
    }

    private init(
        reading reader: inout EntryReader, of entry: [UInt8], flags: UInt8
    ) throws(EntryReader.Damage) {
        origin = Origin(
            requestID: try reader.text(),
            created: Timestamp(microseconds: Int64(try reader.integer())),
            attempts: try reader.integer())
        storedAt = Timestamp(microseconds: Int64(try reader.integer()))
        lifetimeSeconds = try reader.integer()
        provider = try reader.text()
        model = try reader.text()
        upstreamModel = try reader.text()
        usage = try reader.flag() ? try reader.usage() : nil
        costNanodollars = try reader.flag() ? Int64(try reader.integer()) : nil
        switch try reader.byte() {
        case 0:
            let dialect: ChatDialect = try reader.word()
            let isStream = try reader.flag()
            let contentType = try reader.text()
            let body = try Self.body(&reader, of: entry, flags)
            content = .forwarded(dialect, isStream: isStream, contentType: contentType, body)
        case 1: content = .events(try Self.events(try Self.body(&reader, of: entry, flags)))
        default: throw EntryReader.Damage()
        }
    }

    /// All that is left, decompressed. Nothing is taken for more memory than the entry can stand for.
    private static func body(
        _ reader: inout EntryReader, of entry: [UInt8], _ flags: UInt8
    ) throws(EntryReader.Damage) -> ArraySlice<UInt8> {
        let count = try reader.number()
        let rest = reader.takeRest()
        switch flags {
        case 0 where count == rest.count: return entry.suffix(rest.count)
        case isCompressed
        where count > 0 && count <= largestBody && count / UInt64(largestRatio) <= rest.count:
            let body = ZstdContexts.shared.decompressed(UnsafeRawBufferPointer(rest), count: Int(count))
            guard let body else { throw EntryReader.Damage() }
            return body[...]
        default: throw EntryReader.Damage()
        }
    }

    private static func events(_ body: ArraySlice<UInt8>) throws(EntryReader.Damage) -> [ChatEvent] {
        let result = body.withUnsafeBufferPointer { bytes -> Result<[ChatEvent], EntryReader.Damage> in
            var reader = EntryReader(bytes)
            var events: [ChatEvent] = []
            do throws(EntryReader.Damage) {
                while !reader.isAtEnd {
                    guard events.count < largestEventCount else { throw EntryReader.Damage() }
                    events.append(try reader.event())
                }
                return .success(events)
            } catch { return .failure(error) }
        }
        return try result.get()
    }
}
