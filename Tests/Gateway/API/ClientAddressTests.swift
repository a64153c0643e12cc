import Base
import Gateway
import Testing

struct ClientAddressTests {
    private static let networks = ["10.0.0.0/8", "fd00::/8"].compactMap { IPNetwork($0) }

    private func client(_ peer: String?, _ forwarded: [String], trusting: [IPNetwork] = networks) -> String? {
        clientAddress(
            peer: peer.flatMap { IPAddress($0) }, forwarded: forwarded.map { Array($0.utf8)[...] },
            trusting: trusting)?.description
    }

    @Test func `what a stranger says of others is not believed`() {
        #expect(client("192.0.2.9", ["198.51.100.1"]) == "192.0.2.9")
        #expect(client("10.0.0.1", ["198.51.100.1"], trusting: []) == "10.0.0.1")
        #expect(client(nil, ["198.51.100.1"], trusting: []) == nil)
    }

    @Test(arguments: [
        (["198.51.100.1"], "198.51.100.1"),
        // Whatever stands left of the first stranger may be made up.
        (["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        (["1.1.1.1, 198.51.100.1, 10.2.3.4"], "198.51.100.1"),
        (["1.1.1.1", "198.51.100.1 , 10.2.3.4"], "198.51.100.1"),
        (["198.51.100.1:4711"], "198.51.100.1"), (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["[2001:db8::1]"], "2001:db8::1"), (["2001:db8::1, fd00::2"], "2001:db8::1"),
        // Nobody but proxies of ours: the outermost.
        (["10.7.7.7, 10.2.3.4"], "10.7.7.7"), ([], "10.0.0.1"), ([""], "10.0.0.1"),
        // An entry that is no address hides what is left of it.
        (["198.51.100.1, unknown"], "10.0.0.1"), (["198.51.100.1, x, 10.2.3.4"], "10.2.3.4"),
        (["198.51.100.1, 2001:db8::1:99999"], "10.0.0.1"), (["::ffff:198.51.100.1"], "198.51.100.1"),
        (["198.51.100.1,, 10.2.3.4"], "10.2.3.4"),
    ])
    func `behind a proxy of ours the nearest stranger is the client`(forwarded: [String], expected: String) {
        #expect(client("10.0.0.1", forwarded) == expected)
    }

    @Test func `a proxy on a unix socket is one of ours where there are any`() {
        #expect(client(nil, ["198.51.100.1"]) == "198.51.100.1")
        #expect(client(nil, []) == nil)
    }

    @Test func `a chain without end is not followed`() {
        let chain = "198.51.100.1" + String(repeating: ", 10.0.0.2", count: 5000)
        #expect(client("10.0.0.1", [chain]) == "10.0.0.2")
    }
}
