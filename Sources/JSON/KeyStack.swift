import Glibc

/// The keys of all objects that are open at the moment, innermost last, so that a repeated key is noticed.
///
/// A small object compares fingerprints one by one. From `linearLimit` keys on an object gets a hash table over a
/// seeded hash, so that neither many keys nor keys chosen to collide make the work quadratic.
struct KeyStack {
    private let base: UnsafePointer<UInt8>
    private let byteCount: Int
    private var entries: [Entry] = []
    /// The unescaped bytes of keys that were written with escapes.
    private var unescaped: [UInt8] = []
    /// The tables of the open objects that are large, innermost last.
    private var tables: [Table] = []

    static let linearLimit = 24

    struct Entry {
        /// Equal keys have equal fingerprints. Not seeded: it is only ever compared `linearLimit` times.
        var fingerprint: UInt64
        var start: UInt32
        var length: UInt32
        var isUnescaped: Bool
    }

    /// What to go back to when an object closes.
    struct Mark {
        var entries: Int
        var unescaped: Int
        var tables: Int
    }

    struct Table {
        /// Indices into `entries`, -1 where free; the count is a power of two.
        var slots: [Int32]
        var used: Int
    }

    init(base: UnsafePointer<UInt8>, count: Int) {
        self.base = base
        byteCount = count
    }

    var count: Int { entries.count }

    @inline(__always)
    func open() -> Mark { Mark(entries: entries.count, unescaped: unescaped.count, tables: tables.count) }

    @inline(__always)
    mutating func close(_ mark: Mark) {
        entries.removeSubrange(mark.entries...)
        if unescaped.count != mark.unescaped { unescaped.removeSubrange(mark.unescaped...) }
        if tables.count != mark.tables { tables.removeLast() }
    }

    /// Adds a key (without its quotes) to the object opened at `mark`; false when it has it already.
    @inline(__always)
    mutating func insert(_ key: ByteSpan, hasEscapes: Bool, since mark: Mark) -> Bool {
        let entry = hasEscapes ? unescapedEntry(key) : plainEntry(key)
        if entries.count &- mark.entries >= Self.linearLimit { return insertIntoTable(entry, since: mark) }
        let isNew = entries.withUnsafeBufferPointer { entries in
            for index in mark.entries..<entries.count where entries[index].fingerprint == entry.fingerprint {
                if isEqual(entries[index], entry) { return false }
            }
            return true
        }
        // Growing step by step would take five allocations.
        if entries.isEmpty { entries.reserveCapacity(Self.linearLimit) }
        entries.append(entry)
        return isNew
    }

    /// The error for a key that `insert` has just found to be a duplicate.
    func duplicate(_ key: ByteSpan) -> JSONError {
        let bytes = UnsafeBufferPointer(start: base + Int(key.start), count: key.count)
        var plain: [UInt8] = []
        Unescape.append(bytes, to: &plain)
        return plain.withUnsafeBufferPointer { .duplicateKey($0, at: Int(key.start) - 1) }
    }

    @inline(__always)
    private func plainEntry(_ key: ByteSpan) -> Entry {
        let start = Int(key.start)
        return Entry(
            fingerprint: Self.fingerprint(base + start, key.count, readable: byteCount &- start),
            start: key.start, length: UInt32(truncatingIfNeeded: key.count), isUnescaped: false)
    }

    private mutating func unescapedEntry(_ key: ByteSpan) -> Entry {
        let start = unescaped.count
        Unescape.append(UnsafeBufferPointer(start: base + Int(key.start), count: key.count), to: &unescaped)
        let length = unescaped.count - start
        let fingerprint = unescaped.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { Self.fingerprint($0 + start, length, readable: length) } ?? 0
        }
        return Entry(
            fingerprint: fingerprint, start: UInt32(truncatingIfNeeded: start),
            length: UInt32(truncatingIfNeeded: length), isUnescaped: true)
    }

    /// The first and the last eight bytes and the length, mixed. `readable` bytes may be read from `key` on.
    @inline(__always)
    private static func fingerprint(_ key: UnsafePointer<UInt8>, _ length: Int, readable: Int) -> UInt64 {
        let spread = UInt64(truncatingIfNeeded: length) &* 0x9E37_79B9_7F4A_7C15
        if length >= 8 {
            let last = Scan.load(key, length &- 8)
            return Scan.load(key, 0) ^ (last << 23 | last >> 41) ^ spread
        }
        if length == 0 { return spread }
        if readable >= 8 {
            return Scan.load(key, 0) & (~0 >> UInt64(truncatingIfNeeded: 64 &- length &* 8)) ^ spread
        }
        var word: UInt64 = 0
        for index in 0..<length { word |= UInt64(key[index]) << UInt64(truncatingIfNeeded: index &* 8) }
        return word ^ spread
    }

    private func isEqual(_ left: Entry, _ right: Entry) -> Bool {
        guard left.length == right.length else { return false }
        return withBytes(left) { left in
            withBytes(right) { right in
                guard let first = left.baseAddress, let second = right.baseAddress else { return true }
                return memcmp(first, second, left.count) == 0
            }
        }
    }

    private func withBytes<Result>(_ entry: Entry, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if !entry.isUnescaped {
            return body(UnsafeRawBufferPointer(start: base + Int(entry.start), count: Int(entry.length)))
        }
        return unescaped.withUnsafeBytes { bytes in
            let start = Int(entry.start)
            return body(UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(entry.length)]))
        }
    }
}

// MARK: - Large objects
extension KeyStack {
    private mutating func insertIntoTable(_ entry: Entry, since mark: Mark) -> Bool {
        if tables.count == mark.tables { tables.append(Table(slots: [], used: 0)) }
        if tables[tables.count - 1].used * 2 >= tables[tables.count - 1].slots.count {
            growTable(since: mark)
        }
        let index = entries.count
        entries.append(entry)
        return place(index)
    }

    /// Doubles the innermost table and places the keys of its object anew.
    private mutating func growTable(since mark: Mark) {
        let last = tables.count - 1
        let size = max(128, tables[last].slots.count * 2)
        tables[last] = Table(slots: [Int32](repeating: -1, count: size), used: 0)
        for index in mark.entries..<entries.count { _ = place(index) }
    }

    /// Puts the entry into the innermost table; false when an equal one is there.
    private mutating func place(_ index: Int) -> Bool {
        let entry = entries[index]
        let last = tables.count - 1
        let mask = tables[last].slots.count - 1
        var slot = hash(entry) & mask
        while tables[last].slots[slot] >= 0 {
            let other = entries[Int(tables[last].slots[slot])]
            if other.fingerprint == entry.fingerprint, isEqual(other, entry) { return false }
            slot = (slot + 1) & mask
        }
        tables[last].slots[slot] = Int32(truncatingIfNeeded: index)
        tables[last].used += 1
        return true
    }

    /// The standard library's hash has a random seed per process, so collisions cannot be prepared.
    private func hash(_ entry: Entry) -> Int {
        var hasher = Hasher()
        withBytes(entry) { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }
}
