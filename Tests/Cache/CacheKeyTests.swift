import Cache
import Testing

@Suite struct CacheKeyTests {
    @Test func `keys of the same bytes are the same`() {
        let bytes = [UInt8](repeating: 7, count: CacheKey.length)
        #expect(CacheKey(bytes: bytes) == CacheKey(bytes: bytes))
    }
}
