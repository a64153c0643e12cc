import Glibc

/// Where log lines go. Writing never blocks the caller: a thread of its own waits for the pipe or disk.
// The queue is behind a mutex; the closure is called by one thread at a time.
package final class LogSink: @unchecked Sendable {
    /// Lines that the reader at the other end has not taken yet. Beyond this they are dropped and counted.
    static let largestBacklog = 1024 * 1024

    private struct Queue {
        var lines: [UInt8] = []
        var droppedCount = 0
        var isWriting = false
        var hasThread = false
    }

    private let output: @Sendable ([UInt8]) -> Void
    private let queue = Locked(Queue())
    private let wake = Semaphore()

    package static let standardError = LogSink { bytes in
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR && errno != EAGAIN {
                return  // Nobody reads standard error any more, and there is nowhere else to say so.
            }
        }
    }

    package init(_ output: @escaping @Sendable ([UInt8]) -> Void) {
        self.output = output
    }

    func write(_ line: [UInt8]) {
        let mustStart = queue.withLock { queue in
            if queue.lines.count + line.count > Self.largestBacklog {
                queue.droppedCount += 1
                return false
            }
            queue.lines.append(contentsOf: line)
            defer { queue.hasThread = true }
            return !queue.hasThread
        }
        if mustStart { startThread() }
        wake.signal()
    }

    /// Waits until everything logged so far has been written: at exit.
    package func flush() {
        for _ in 0..<2000 {
            let isEmpty = queue.withLock { $0.lines.isEmpty && !$0.isWriting }
            if isEmpty { return }
            usleep(1000)
        }
    }

    private func startThread() {
        var thread = pthread_t()
        // A sink lives as long as the process, and its thread with it.
        pthread_create(&thread, nil, writeLines, Unmanaged.passRetained(self).toOpaque())
        pthread_detach(thread)
    }

    fileprivate func run() {
        while true {
            wake.wait()
            var (lines, dropped) = queue.withLock { queue in
                defer {
                    queue.lines = []
                    queue.droppedCount = 0
                    queue.isWriting = true
                }
                return (queue.lines, queue.droppedCount)
            }
            if dropped > 0 {
                lines.append("{\"level\":\"warning\",\"message\":\"log lines dropped\",\"count\":")
                lines.append(decimal: dropped)
                lines.append("}\n")
            }
            if !lines.isEmpty { output(lines) }
            queue.withLock { $0.isWriting = false }
        }
    }
}

private func writeLines(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<LogSink>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
