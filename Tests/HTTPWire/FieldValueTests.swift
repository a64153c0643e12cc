import HTTPWire
import Testing

struct FieldValueTests {
    @Test(arguments: [
        ("bytes=0-", RangeRequest.part(0..<100)), ("bytes=0-0", .part(0..<1)),
        ("bytes=10-19", .part(10..<20)),
        ("bytes=90-1000", .part(90..<100)), ("bytes=-10", .part(90..<100)), ("bytes=-1000", .part(0..<100)),
        ("bytes=100-", .unsatisfiable), ("bytes=100-200", .unsatisfiable), ("bytes=-0", .unsatisfiable),
        ("bytes=5-4", .whole), ("bytes=0-1,3-4", .whole), ("bytes=", .whole), ("bytes=-", .whole),
        ("bytes=a-b", .whole), ("bytes=+1-2", .whole), ("items=0-1", .whole), ("bytes=1", .whole),
        ("", .whole),
        ("bytes=0-9999999999999999999999", .whole), ("bytes= 0-1", .whole),
        ("bytes=999999999999999999-", .unsatisfiable),
    ])
    func `a range asks for its bytes`(value: String, range: RangeRequest) {
        #expect(RangeRequest(Array(value.utf8)[...], length: 100) == range)
    }

    @Test func `without a range the whole is meant, and nothing can be cut out of nothing`() {
        #expect(RangeRequest(nil, length: 100) == .whole)
        #expect(RangeRequest(Array("bytes=0-".utf8)[...], length: 0) == .unsatisfiable)
        #expect(RangeRequest(Array("bytes=-1".utf8)[...], length: 0) == .unsatisfiable)
    }

    @Test(arguments: [
        ("\"a\"", true), ("W/\"a\"", true), ("\"b\", \"a\"", true), ("\"b\" ,\t W/\"a\" ", true), ("*", true),
        (",,\"a\"", true), ("\"b\"", false), ("a", false), ("\"a", false), ("\"a\"x", false), ("", false),
        ("\"b\" \"a\"", false), ("**", false), ("w/\"a\"", false), ("\"b\",\"", false), ("\"a,b\"", false),
    ])
    func `a tag is found in its list`(value: String, matches: Bool) {
        #expect(EntityTagCondition.matches([Array(value.utf8)[...]], tag: Array("\"a\"".utf8)) == matches)
    }

    @Test(arguments: [
        ("br", true, false), ("gzip", false, true), ("gzip, deflate, br", true, true), ("*", true, true),
        ("br;q=0, *", false, true), ("gzip;q=0", false, false), ("gzip; q=0.000", false, false),
        ("gzip;q=0.5", false, true), ("GZIP , BR;Q=1", true, true), ("identity", false, false),
        ("", false, false),
        ("br;q=x", false, false), ("br;level=5", false, false), ("*;q=0", false, false),
        ("x-gzip", false, true),
    ])
    func `the codings that a client takes are known`(value: String, brotli: Bool, gzip: Bool) {
        let accept = AcceptEncoding([Array(value.utf8)[...]])
        #expect(accept.brotli == brotli)
        #expect(accept.gzip == gzip)
    }
}
