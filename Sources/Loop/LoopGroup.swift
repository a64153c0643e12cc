package import Base
import Glibc

/// The loops of a process, each on its own thread.
// The loops are fixed at creation; the threads are touched by whoever starts and stops the group.
package final class LoopGroup: @unchecked Sendable {
    package let loops: [EventLoop]
    private var threads: [pthread_t] = []

    package init(count: Int, name: String = "loop") throws(SystemError) {
        precondition(count > 0)
        var loops: [EventLoop] = []
        for index in 0..<count { loops.append(try EventLoop(name: "\(name)-\(index)")) }
        self.loops = loops
    }

    package func start() throws(SystemError) {
        for loop in loops {
            var thread = pthread_t()
            let box = Unmanaged.passRetained(loop)
            let code = pthread_create(&thread, nil, runLoop, box.toOpaque())
            guard code == 0 else {
                box.release()
                stop()
                throw SystemError("pthread_create", code: code)
            }
            threads.append(thread)
        }
    }

    /// Stops every loop and waits for its thread. Never call it from one of the loops.
    package func stop() {
        for loop in loops { loop.stop() }
        for thread in threads { pthread_join(thread, nil) }
        threads = []
    }

    /// How long the slowest loop has not ticked. The pages behind `/livez` read it.
    package func longestSilence(at now: Instant = .now()) -> Duration {
        loops.map { loop in loop.heartbeat.map { now - $0 } ?? .zero }.max() ?? .zero
    }
}

private func runLoop(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<EventLoop>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
