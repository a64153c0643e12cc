import Glibc

/// A TCP port of the loopback address that nobody used a moment ago.
package func freePort() -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            // With _GNU_SOURCE these take a union of all kinds of address.
            bind(descriptor, __CONST_SOCKADDR_ARG(__sockaddr__: address), size) == 0
                && getsockname(descriptor, __SOCKADDR_ARG(__sockaddr__: address), &size) == 0
        }
    }
    precondition(isBound, "the loopback address has no free port")
    return Int(UInt16(bigEndian: address.sin_port))
}
