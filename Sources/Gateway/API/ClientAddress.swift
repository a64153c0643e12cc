package import Base
package import HTTPServer
import HTTPWire

/// Hops beyond this many from the right are not looked at.
private let longestChain = 32

/// Where a request comes from: the peer, or, where that is a proxy of ours, the last address in `X-Forwarded-For` that
/// is none. What stands left of it anybody may have written.
///
/// `nil` only where the peer has no address (a unix socket, which is a proxy on this machine) and names none.
package func clientAddress(of exchange: Exchange, trusting networks: [IPNetwork]) -> IPAddress? {
    clientAddress(
        peer: exchange.peerAddress, forwarded: exchange.request.fields.values("x-forwarded-for"),
        trusting: networks)
}

/// - Parameter forwarded: the values of `X-Forwarded-For` in their order.
package func clientAddress(
    peer: IPAddress?, forwarded: [ArraySlice<UInt8>], trusting networks: [IPNetwork]
) -> IPAddress? {
    func isTrusted(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }

    guard !networks.isEmpty, peer.map(isTrusted) ?? true else { return peer }
    var client = peer
    let hops = forwarded.flatMap { $0.split(separator: 0x2C, omittingEmptySubsequences: false) }
    for hop in hops.reversed().prefix(longestChain) {
        guard let address = address(ofHop: String(decoding: hop, as: UTF8.self)) else { break }
        client = address
        if !isTrusted(address) { break }
    }
    return client
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
private func address(ofHop hop: String) -> IPAddress? {
    var text = hop[...]
    while text.first == " " || text.first == "\t" { text.removeFirst() }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    if let address = IPAddress(String(text)) { return address }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0
    else {
        return text.first == "[" && text.last == "]" ? IPAddress(String(text.dropFirst().dropLast())) : nil
    }
    let host = text[..<colon]
    if host.first == "[" && host.last == "]" { return IPAddress(String(host.dropFirst().dropLast())) }
    return host.contains(":") ? nil : IPAddress(String(host))
}
