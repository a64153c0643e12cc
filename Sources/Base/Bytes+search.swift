import Glibc

extension [UInt8] {
    /// Whether `text` is somewhere in it.
    package func contains(_ text: StaticString) -> Bool {
        withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return false }
            return memmem(start, bytes.count, text.utf8Start, text.utf8CodeUnitCount) != nil
        }
    }
}
