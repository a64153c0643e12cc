package import Base
import Glibc
import Loop

/// Where a listener's connections and its reserve descriptor come from: the kernel, or a test that runs out
/// of descriptors on purpose.
package struct AcceptSource: Sendable {
    package var accept: @Sendable (Int32) throws(SystemError) -> (descriptor: Int32, peer: IPAddress?)?
    /// A descriptor that does nothing but be there; negative where there is none to be had.
    package var openReserve: @Sendable () -> Int32

    package init(
        accept: @escaping @Sendable (Int32) throws(SystemError) -> (descriptor: Int32, peer: IPAddress?)?,
        openReserve: @escaping @Sendable () -> Int32
    ) {
        self.accept = accept
        self.openReserve = openReserve
    }

    package static let live = AcceptSource(
        accept: { listener throws(SystemError) in try Socket.accept(listener) },
        openReserve: { open("/dev/null", O_RDONLY | O_CLOEXEC) })
}
