/// xxHash's 64 bits: a fast word about bytes that were damaged, not about bytes that somebody chose.
package enum XXHash64 {
    private static let primes: (UInt64, UInt64, UInt64, UInt64, UInt64) = (
        0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63,
        0x27D4_EB2F_1656_67C5
    )

    package static func hash(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        var place = 0
        var hash: UInt64
        if bytes.count >= 32 {
            var (one, two, three, four) = (primes.0 &+ primes.1, primes.1, UInt64(0), 0 &- primes.0)
            repeat {
                one = round(one, word(bytes, place))
                two = round(two, word(bytes, place &+ 8))
                three = round(three, word(bytes, place &+ 16))
                four = round(four, word(bytes, place &+ 24))
                place &+= 32
            } while place &+ 32 <= bytes.count
            hash = rotated(one, 1) &+ rotated(two, 7) &+ rotated(three, 12) &+ rotated(four, 18)
            for lane in [one, two, three, four] { hash = (hash ^ round(0, lane)) &* primes.0 &+ primes.3 }
        } else {
            hash = primes.4
        }
        hash = hash &+ UInt64(bytes.count)
        while place &+ 8 <= bytes.count {
            hash = rotated(hash ^ round(0, word(bytes, place)), 27) &* primes.0 &+ primes.3
            place &+= 8
        }
        if place &+ 4 <= bytes.count {
            let half = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
            hash = rotated(hash ^ UInt64(half) &* primes.0, 23) &* primes.1 &+ primes.2
            place &+= 4
        }
        while place < bytes.count {
            hash = rotated(hash ^ UInt64(bytes[place]) &* primes.4, 11) &* primes.0
            place &+= 1
        }
        hash = (hash ^ hash >> 33) &* primes.1
        hash = (hash ^ hash >> 29) &* primes.2
        return hash ^ hash >> 32
    }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
    }

    @inline(__always)
    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        rotated(lane &+ word &* primes.1, 31) &* primes.0
    }

    @inline(__always)
    private static func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 {
        word << count | word >> (64 &- count)
    }
}
