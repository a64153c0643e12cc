package import Base
package import Loop

/// A stream of bytes in both directions that never blocks: a socket, or a pipe in memory.
///
/// Readiness is reported by change: after a report, read and write until less than asked was moved.
package protocol Transport: AnyObject {
    /// Begins to report readiness to `handler`. Called once.
    func start(_ handler: @escaping (Readiness) -> Void) throws(SystemError)
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Socket.Outcome
    /// With `more`, what follows at once may leave together with `bytes`.
    func write(_ bytes: UnsafeRawBufferPointer, more: Bool) -> Socket.Outcome
    /// Says that nothing more will be written.
    func shutdownWrite()
    /// Ends both directions. A second call does nothing.
    func close()
    /// Ends so that the other side sees a failure.
    func reset()
}
