import Base
import Glibc
import Loop

/// A TCP port of the loopback address that nobody used a moment ago.
package func freePort() -> Int {
    guard let loopback = IPAddress("127.0.0.1"), let descriptor = try? Socket.listen(host: loopback, port: 0)
    else {
        preconditionFailure("the loopback address has no free port")
    }
    defer { close(descriptor) }
    return Socket.port(of: descriptor)
}
