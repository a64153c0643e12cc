/// A number in decimal, written from its end: the way in which digits come.
public enum DecimalDigits {
    /// As many as the largest number has.
    public static let most = 20

    /// How many `number` has.
    @inlinable
    @inline(__always)
    public static func count(of number: UInt) -> Int {
        var count = 1
        var limit: UInt = 10
        while number >= limit {
            count &+= 1
            let (next, isOver) = limit.multipliedReportingOverflow(by: 10)
            if isOver { break }
            limit = next
        }
        return count
    }

    /// Writes `number` so that it ends before `end`, where there is room for it. Says where it starts.
    @inlinable
    @inline(__always)
    public static func write(
        _ number: UInt, before end: Int, in text: UnsafeMutableRawBufferPointer
    ) -> Int {
        var rest = number
        var start = end
        while rest >= 100 {
            let (others, pair) = rest.quotientAndRemainder(dividingBy: 100)
            start &-= 2
            text[start] = 0x30 &+ UInt8(truncatingIfNeeded: pair / 10)
            text[start &+ 1] = 0x30 &+ UInt8(truncatingIfNeeded: pair % 10)
            rest = others
        }
        if rest >= 10 {
            start &-= 1
            text[start] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        start &-= 1
        text[start] = 0x30 &+ UInt8(truncatingIfNeeded: rest)
        return start
    }
}
