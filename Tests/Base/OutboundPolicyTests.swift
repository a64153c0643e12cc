import Base
import Testing

struct OutboundPolicyTests {
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @Test(arguments: [
        "127.0.0.1", "127.255.255.255", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1",
        "172.31.255.255", "192.168.0.1", "192.168.255.255", "169.254.169.254", "100.64.0.1",
        "100.127.255.255",
        "192.0.0.1", "192.0.2.1", "198.51.100.7", "203.0.113.9", "198.18.0.1", "198.19.255.255",
        "192.88.99.1",
        "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::127.0.0.1", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2001:db8:ffff::1",
        "2002:7f00:1::", "3fff::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
        "4000::1", "5f00::1",
    ])
    func `what the internet cannot reach is not spoken to`(text: String) throws {
        #expect(!OutboundPolicy().allows(try address(text)))
        #expect(!OutboundPolicy().isNamed(try address(text)))
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0",
        "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "::ffff:8.8.8.8",
        "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "2001:200::1", "3ffe::1",
    ])
    func `the internet is spoken to, with TLS`(text: String) throws {
        #expect(OutboundPolicy().allows(try address(text)))
        #expect(!OutboundPolicy().isNamed(try address(text)))
    }

    @Test func `what the operator names is spoken to, and nothing beside it`() throws {
        let policy = OutboundPolicy(allowing: ["10.1.0.0/16", "fd00:1::/32"].compactMap { IPNetwork($0) })
        for text in ["10.1.0.1", "10.1.255.255", "::ffff:10.1.2.3", "fd00:1::7"] {
            let address = try address(text)
            #expect(policy.allows(address) && policy.isNamed(address), "\(text)")
        }
        for text in ["10.2.0.1", "127.0.0.1", "fd00:2::7", "::1", "169.254.169.254"] {
            #expect(!policy.allows(try address(text)), "\(text)")
        }
    }
}
