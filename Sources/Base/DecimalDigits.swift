/// A number in decimal, written from its end: the way in which digits come.
///
/// Public, because only what is public is inlined in other targets.
public enum DecimalDigits {
    /// As many as the largest number has.
    public static let most = 20

    /// How many `number` has.
    @inlinable
    @inline(__always)
    public static func count(of number: UInt) -> Int {
        var rest = number
        var count = 1
        while rest >= 10_000 {
            rest /= 10_000
            count &+= 4
        }
        return rest < 100 ? count &+ (rest < 10 ? 0 : 1) : count &+ (rest < 1000 ? 2 : 3)
    }

    /// Writes `number` so that it ends before `end`, where there is room for it. Says where it starts.
    @inlinable
    @inline(__always)
    public static func write(
        _ number: UInt, before end: Int, in text: UnsafeMutableRawBufferPointer
    ) -> Int {
        let pairs: StaticString =
            """
            00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960\
            616263646566676869707172737475767778798081828384858687888990919293949596979899
            """
        let digits = UnsafeRawPointer(pairs.utf8Start)
        var rest = number
        var start = end
        while rest >= 10 {
            let (others, pair) = rest.quotientAndRemainder(dividingBy: 100)
            start &-= 2
            text.storeBytes(
                of: digits.loadUnaligned(fromByteOffset: Int(bitPattern: pair &* 2), as: UInt16.self),
                toByteOffset: start, as: UInt16.self)
            rest = others
        }
        if rest > 0 || start == end {
            start &-= 1
            text[start] = 0x30 &+ UInt8(truncatingIfNeeded: rest)
        }
        return start
    }
}
