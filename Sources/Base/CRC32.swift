/// The checksum of zip and PNG (polynomial 0xEDB88320). It finds typing errors and damage, not attackers.
package enum CRC32 {
    /// Eight tables of 256: what a byte does that is followed by none to seven others.
    private static let tables: [UInt32] = {
        var tables = (0..<256).map { (index: UInt32) -> UInt32 in
            (0..<8).reduce(index) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
        for place in 256..<8 * 256 {
            let before = tables[place - 256]
            tables.append(before >> 8 ^ tables[Int(before & 0xFF)])
        }
        return tables
    }()

    package static func checksum(of bytes: some Collection<UInt8>) -> UInt32 {
        bytes.withContiguousStorageIfAvailable { checksum(of: $0) }
            ?? Array(bytes).withUnsafeBufferPointer { checksum(of: $0) }
    }

    /// Not generic: a byte at a time through an unspecialised sequence took 40 times as long. Eight bytes at a time: one
    /// takes as long as waiting for the one before.
    package static func checksum(of bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            var crc = UInt32.max
            var place = 0
            let words = UnsafeRawBufferPointer(bytes)
            while place &+ 8 <= bytes.count {
                let word = UInt64(littleEndian: words.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                let mixed = word ^ UInt64(crc)
                crc = 0
                for step in 0..<8 {
                    let byte = Int(truncatingIfNeeded: mixed >> UInt64(8 &* step)) & 0xFF
                    crc ^= table[(7 &- step) &* 256 &+ byte]
                }
                place &+= 8
            }
            while place < bytes.count {
                crc = crc >> 8 ^ table[Int((crc ^ UInt32(bytes[place])) & 0xFF)]
                place &+= 1
            }
            return ~crc
        }
    }
}
