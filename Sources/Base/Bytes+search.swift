import Glibc

extension [UInt8] {
    /// Whether `text` is somewhere in it.
    package func contains(_ text: StaticString) -> Bool {
        withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return false }
            return memmem(start, bytes.count, text.utf8Start, text.utf8CodeUnitCount) != nil
        }
    }

    /// Whether it is these bytes; `==` looks at one after the other.
    package func isSame(as other: UnsafeRawBufferPointer) -> Bool {
        withUnsafeBytes { bytes in
            guard bytes.count == other.count else { return false }
            guard let one = bytes.baseAddress, let another = other.baseAddress else { return true }
            return memcmp(one, another, bytes.count) == 0
        }
    }
}
