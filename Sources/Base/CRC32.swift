/// The checksum of zip and PNG (polynomial 0xEDB88320). It finds typing errors, not attackers.
package enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    package static func checksum(of bytes: some Collection<UInt8>) -> UInt32 {
        bytes.withContiguousStorageIfAvailable { checksum(of: $0) }
            ?? Array(bytes).withUnsafeBufferPointer { checksum(of: $0) }
    }

    /// Not generic: a byte at a time through an unspecialised sequence took 40 times as long.
    package static func checksum(of bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        table.withUnsafeBufferPointer { table in
            ~bytes.reduce(UInt32.max) { crc, byte in crc >> 8 ^ table[Int((crc ^ UInt32(byte)) & 0xFF)] }
        }
    }
}
