import HTTPWire

/// An address that links begin with: a scheme, a host and perhaps a port, nothing behind.
enum PublicURL {
    static func isOne(_ text: String) -> Bool {
        guard let address = try? URLAddress(text) else { return false }
        return ["http", "https"].contains(address.scheme) && address.userinfo == nil && address.path.isEmpty
            && address.query == nil
    }
}
