import CPostgres

/// The right to end the running statement of one session, usable apart from its connection.
// libpq documents PGcancel as usable from any thread; it is not changed after it was made.
final class CancelRequest: @unchecked Sendable {
    private let pointer: OpaquePointer
    private static let messageSize: Int32 = 256

    init?(_ handle: OpaquePointer) {
        guard let pointer = PQgetCancel(handle) else { return nil }
        self.pointer = pointer
    }

    deinit { PQfreeCancel(pointer) }

    /// Blocks until the server has taken the request, or cannot be reached: then there is nothing to cancel.
    func send() {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(Self.messageSize)) { message in
            _ = PQcancel(pointer, message.baseAddress, Self.messageSize)
        }
    }
}
