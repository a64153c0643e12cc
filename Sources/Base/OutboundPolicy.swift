/// Which addresses may be spoken to where somebody else has said whom to speak to: an identity provider, a webhook. What
/// is meant is the *resolved* address; a name says nothing.
///
/// Only addresses that the whole internet can reach, and what the operator names. Otherwise a URL could be used to reach
/// what only this machine reaches: its own ports, the neighbours, a cloud's metadata.
package struct OutboundPolicy: Sendable {
    private let exceptions: [IPNetwork]

    package init(allowing exceptions: [IPNetwork] = []) { self.exceptions = exceptions }

    /// With TLS.
    package func allows(_ address: IPAddress) -> Bool { isNamed(address) || Self.isPublic(address) }

    /// Also without TLS: only what the operator names.
    package func isNamed(_ address: IPAddress) -> Bool { exceptions.contains { $0.contains(address) } }

    /// Whether it is an address of the internet, according to IANA's registries of special-purpose addresses.
    package static func isPublic(_ address: IPAddress) -> Bool {
        if address.isVersion4 { return !special4.contains { $0.contains(address) } }
        return global6.contains { $0.contains(address) } && !special6.contains { $0.contains(address) }
    }

    private static let special4 = [
        "0.0.0.0/8",  // this network
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  // private
        "100.64.0.0/10",  // behind a provider's translation
        "127.0.0.0/8",  // loopback
        "169.254.0.0/16",  // link-local: the metadata of clouds
        "192.0.0.0/24", "192.88.99.0/24",  // protocols
        "192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24",  // AS112 and AMT
        "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",  // documentation
        "198.18.0.0/15",  // measurements
        "224.0.0.0/4",  // multicast
        "240.0.0.0/4",  // reserved, and the broadcast
    ].compactMap { IPNetwork($0) }

    /// Everything else is reserved: loopback, unspecified, translated, unique-local, link-local, multicast.
    private static let global6 = ["2000::/3"].compactMap { IPNetwork($0) }

    private static let special6 = [
        "2001::/23",  // protocols, with Teredo, which carries IPv4
        "2001:db8::/32", "3fff::/20",  // documentation
        "2002::/16",  // 6to4, which carries IPv4
    ].compactMap { IPNetwork($0) }
}
