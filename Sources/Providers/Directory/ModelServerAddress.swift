import Base
import HTTPWire

/// Where a server of the house may be: a scheme, a host and perhaps a port.
package struct ModelServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// Without a `/` at its end.
    package let url: String
    private let place: Place

    /// What one program listens on, by whichever name it is called.
    private struct Place: Hashable {
        let host: String
        let port: Int?

        init(_ address: URLAddress) {
            host = Self.isThisMachine(address.host) ? "localhost" : address.host
            port = address.effectivePort
        }

        /// A server that listens everywhere is reached here, too.
        private static func isThisMachine(_ host: String) -> Bool {
            guard let address = IPAddress(host) else { return host == "localhost" }
            return address.isVersion4
                ? address.bytes[0] == 127 || address.bytes == [0, 0, 0, 0]
                : address.bytes.dropLast().allSatisfy { $0 == 0 } && address.bytes[15] <= 1
        }
    }

    package init?(_ text: some StringProtocol) {
        guard let address = try? URLAddress(String(text)), ["http", "https"].contains(address.scheme),
            address.userinfo == nil, ["", "/"].contains(address.path), address.query == nil
        else { return nil }
        url = "\(address.scheme)://\(address.authority)"
        place = Place(address)
    }

    package var description: String { url }

    /// Whether something at `url` would be asked there.
    package func isReached(by url: String) -> Bool {
        (try? URLAddress(url)).map { Place($0) == place } ?? false
    }

    package static func == (left: Self, right: Self) -> Bool { left.place == right.place }

    package func hash(into hasher: inout Hasher) { hasher.combine(place) }
}
