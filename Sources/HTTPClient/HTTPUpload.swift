package import Loop

/// A request body that is produced while it is sent.
// Confined to its loop.
package final class HTTPUpload: @unchecked Sendable {
    /// A writer waits while more than this is unsent.
    package static let highWater = 256 * 1024

    private let drained: Waiter
    private var pending: [UInt8] = []
    private var sent = 0
    private var isFinished = false
    private var isAbandoned = false
    /// Set by the transfer: more bytes, or the end, are there to be read.
    var onData: (() -> Void)?

    package init(on loop: EventLoop) {
        drained = Waiter(loop)
    }

    /// Waits until there is room, then queues `bytes`. One task at a time.
    package func write(_ bytes: [UInt8]) async throws {
        while pending.count - sent > Self.highWater && !isAbandoned { try await drained.wait() }
        if isAbandoned { throw HTTPClientError(.sendFailed) }
        pending.append(contentsOf: bytes)
        onData?()
    }

    /// Nothing more will come.
    package func finish() {
        isFinished = true
        onData?()
    }

    /// Copies what fits into `buffer`: its count, 0 at the end, `nil` if the rest is still to come.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        let count = min(buffer.count, pending.count - sent)
        guard count > 0 else { return isFinished ? 0 : nil }
        pending.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[sent..<sent + count]))
        }
        sent += count
        if sent == pending.count {
            pending.removeAll(keepingCapacity: true)
            sent = 0
        }
        drained.wake()
        return count
    }

    /// The transfer is over; a writer that still waits is told.
    func abandon() {
        isAbandoned = true
        onData = nil
        drained.wake()
    }
}
