import Glibc

extension RequestHead {
    /// The head at the start of `bytes` where it is this one again, be it with another length of body: the client of a
    /// connection says the same of itself each time, and to compare that costs a twentieth of reading it.
    func repeated(in bytes: UnsafeRawBufferPointer) -> RequestHead? {
        fields.bytes.withUnsafeBytes { known -> RequestHead? in
            guard bytes.count >= known.count, let one = known.baseAddress, let other = bytes.baseAddress
            else {
                return nil
            }
            func isSame(_ range: Range<Int>) -> Bool {
                memcmp(one + range.lowerBound, other + range.lowerBound, range.count) == 0
            }
            guard let lengthRange else { return isSame(0..<known.count) ? self : nil }
            guard isSame(0..<lengthRange.lowerBound), isSame(lengthRange.upperBound..<known.count) else {
                return nil
            }
            if isSame(lengthRange) { return self }
            do throws(RequestFault) {
                return withLength(
                    try RequestHeadDraft.length(bytes, lengthRange),
                    UnsafeRawBufferPointer(rebasing: bytes[..<known.count]))
            } catch {
                // It is refused when it is read.
                return nil
            }
        }
    }

    private func withLength(_ length: Int, _ bytes: UnsafeRawBufferPointer) -> RequestHead {
        RequestHead(
            method: method, version: version, framing: length == 0 ? .none : .length(length),
            expectation: expectation, keepsAlive: keepsAlive, wantsUpgrade: wantsUpgrade,
            fields: HTTPFields(bytes: [UInt8](bytes), lines: fields.lines), targetRange: targetRange,
            pathRange: pathRange, queryRange: queryRange, hostRange: hostRange, lengthRange: lengthRange)
    }
}
