package import Base
import CLinux
import Glibc

/// The system calls on sockets, each turning errno into a `SystemError`.
package enum Socket {
    /// A non-blocking listener on `host:port`; port 0 takes a free one. With `sharesPort`, every loop can have a
    /// listener of its own and the kernel spreads connections over them.
    package static func listen(
        host: IPAddress, port: Int, backlog: Int32 = 4096, sharesPort: Bool = false
    ) throws(SystemError) -> Int32 {
        let descriptor = try open(host.isVersion4 ? AF_INET : AF_INET6)
        do throws(SystemError) {
            try setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
            if sharesPort { try setOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
            let code = withAddress(host, port) { linux_bind(descriptor, $0, $1) }
            guard code == 0 else { throw SystemError("bind \(host):\(port)") }
            guard Glibc.listen(descriptor, backlog) == 0 else { throw SystemError("listen") }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// A non-blocking listener on a path, replacing a socket that an earlier process left there.
    package static func listen(path: String, backlog: Int32 = 4096) throws(SystemError) -> Int32 {
        let descriptor = try open(AF_UNIX)
        unlink(path)
        do throws(SystemError) {
            guard try withAddress(path, { linux_bind(descriptor, $0, $1) }) == 0 else {
                throw SystemError("bind \(path)")
            }
            guard Glibc.listen(descriptor, backlog) == 0 else { throw SystemError("listen") }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// A non-blocking socket on its way to `host:port`; it can be written to once it is connected.
    package static func connect(host: IPAddress, port: Int) throws(SystemError) -> Int32 {
        let descriptor = try open(host.isVersion4 ? AF_INET : AF_INET6)
        let code = withAddress(host, port) { linux_connect(descriptor, $0, $1) }
        guard code == 0 || errno == EINPROGRESS else {
            let failure = SystemError("connect \(host):\(port)")
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    package static func connect(path: String) throws(SystemError) -> Int32 {
        let descriptor = try open(AF_UNIX)
        do throws(SystemError) {
            guard try withAddress(path, { linux_connect(descriptor, $0, $1) }) == 0 else {
                throw SystemError("connect \(path)")
            }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// The next waiting connection, non-blocking and without delay on small writes; `nil` when there is none.
    package static func accept(_ listener: Int32) throws(SystemError) -> (
        descriptor: Int32, peer: IPAddress?
    )? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return try withUnsafeMutablePointer(to: &storage) { pointer throws(SystemError) in
            let address = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            while true {
                let descriptor = linux_accept(listener, address, &length)
                if descriptor >= 0 {
                    let peer = IPAddress(address)
                    do throws(SystemError) {
                        if peer != nil { try setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }
                    } catch {
                        close(descriptor)
                        throw error
                    }
                    return (descriptor, peer)
                }
                switch errno {
                case EAGAIN: return nil
                // The client left while it waited to be accepted, or a signal came: look again.
                case ECONNABORTED, EINTR: continue
                default: throw SystemError("accept")
                }
            }
        }
    }

    /// The port that a listener got.
    package static func port(of listener: Int32) -> Int {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            let address = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            guard linux_local_name(listener, address, &length) == 0 else { return 0 }
            // The port is at the same place in both families.
            let raw = UnsafeRawPointer(pointer).loadUnaligned(as: sockaddr_in.self)
            return Int(in_port_t(bigEndian: raw.sin_port))
        }
    }

    private static func open(_ family: Int32) throws(SystemError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        return descriptor
    }

    private static func setOption(
        _ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32
    ) throws(SystemError) {
        var value = value
        guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw SystemError("setsockopt")
        }
    }

    private static func withAddress(
        _ host: IPAddress, _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        if host.isVersion4 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
            withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: host.bytes) }
            return passing(address, body)
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: host.bytes) }
        return passing(address, body)
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(SystemError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError("address \(path)", code: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return passing(address, body)
    }

    private static func passing<Address>(
        _ address: Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        withUnsafePointer(to: address) { pointer in
            body(
                UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self),
                socklen_t(MemoryLayout<Address>.size))
        }
    }
}
