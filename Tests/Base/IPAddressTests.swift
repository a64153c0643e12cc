import Base
import Testing

struct IPAddressTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.1", false), ("0.0.0.0/0", "8.8.8.8", true),
        ("192.168.1.128/25", "192.168.1.127", false), ("192.168.1.128/25", "192.168.1.200", true),
        ("127.0.0.1", "127.0.0.1", true), ("127.0.0.1", "127.0.0.2", false), ("fd00::/8", "fdab::1", true),
        ("fd00::/8", "fe80::1", false), ("10.0.0.0/8", "::1", false), ("10.0.0.0/8", "::ffff:10.1.1.1", true),
    ])
    func `a network holds the addresses that begin like it`(network: String, address: String, isInside: Bool)
        throws
    {
        let address = try #require(IPAddress(address))
        #expect(try #require(IPNetwork(network)).contains(address) == isInside)
    }

    @Test(arguments: [
        "", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "example", "10.0.0.0/",
    ])
    func `text that is no network is refused`(text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test(arguments: ["127.0.0.1", "::1", "2001:db8::ff00:42:8329"])
    func `an address reads as it was written`(text: String) {
        #expect(IPAddress(text)?.description == text)
    }
}
