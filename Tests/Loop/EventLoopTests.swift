import Base
import Glibc
import Loop
import TestKit
import Testing

struct EventLoopTests {
    @Test func `a task prefers its loop and stays on its thread across waits`() async throws {
        try await onLoop { loop in
            #expect(loop.isCurrent)
            try await loop.sleep(for: .milliseconds(2))
            #expect(loop.isCurrent)
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 { group.addTask { loop.isCurrent } }
                for await inside in group { #expect(inside) }
            }
        }
    }

    @Test func `work handed over from other threads runs in the order in which one thread gave it`()
        async throws
    {
        try await onLoop { loop in
            let seen = Box<[Int]>([])
            let done = Waiter(loop)
            Task.detached {
                for number in 0..<1000 { loop.execute { seen.value.append(number) } }
                loop.execute { done.wake() }
            }
            try await done.wait(until: .now() + .seconds(120))
            #expect(seen.value == Array(0..<1000))
        }
    }

    @Test func `timers fire in the order of their deadlines, never early, and not when cancelled`()
        async throws
    {
        try await onLoop { loop in
            let log = Log()
            let done = Waiter(loop)
            let start = Instant.now()
            for milliseconds in [30, 10, 20, 10] {
                let deadline = start + .milliseconds(milliseconds)
                _ = loop.schedule(at: deadline) {
                    #expect(Instant.now() >= deadline)
                    log.lines.append("\(milliseconds)")
                }
            }
            let cancelled = loop.schedule(at: start + .milliseconds(15)) { log.lines.append("cancelled") }
            loop.cancel(cancelled)
            loop.cancel(cancelled)
            _ = loop.schedule(at: start + .milliseconds(40)) { done.wake() }
            try await done.wait(until: start + .seconds(10))
            #expect(log.lines == ["10", "10", "20", "30"])
        }
    }

    @Test func `a descriptor is reported once it is readable, and no more after it was given up`()
        async throws
    {
        try await onLoop { loop in
            var ends: [Int32] = [0, 0]
            #expect(pipe(&ends) == 0)
            let log = Log()
            let readable = Waiter(loop)
            let reader = ends[0]
            let registration = try loop.register(reader, .read) { readiness in
                var byte: UInt8 = 0
                #expect(read(reader, &byte, 1) == 1)
                log.lines.append("\(readiness.contains(.read)) \(byte)")
                readable.wake()
            }
            var byte: UInt8 = 7
            #expect(write(ends[1], &byte, 1) == 1)
            try await readable.wait(until: .now() + .seconds(120))
            loop.deregister(registration)
            #expect(write(ends[1], &byte, 1) == 1)
            try await loop.sleep(for: .milliseconds(20))
            #expect(log.lines == ["true 7"])
            close(ends[0])
            close(ends[1])
        }
    }

    @Test func `an event of a descriptor given up in the same tick reaches nobody`() async throws {
        try await onLoop { loop in
            let log = Log()
            var pipes: [[Int32]] = []
            for _ in 0..<2 {
                var ends: [Int32] = [0, 0]
                #expect(pipe(&ends) == 0)
                pipes.append(ends)
            }
            let registrations = Box<[Registration]>([])
            for (index, ends) in pipes.enumerated() {
                registrations.value.append(
                    try loop.register(ends[0], .read) { _ in
                        log.lines.append("event \(index)")
                        for registration in registrations.value { loop.deregister(registration) }
                    })
            }
            var byte: UInt8 = 1
            for ends in pipes { #expect(write(ends[1], &byte, 1) == 1) }
            try await loop.sleep(for: .milliseconds(30))
            #expect(log.lines.count == 1)
            for end in pipes.joined() { close(end) }
        }
    }

    @Test func `what waits for the end of a tick runs once, after every ready task`() async throws {
        try await onLoop { loop in
            let log = Log()
            loop.atTickEnd { log.lines.append("flush") }
            for number in 0..<3 { loop.spawn { log.lines.append("task \(number)") } }
            try await loop.sleep(for: .milliseconds(5))
            #expect(log.lines == ["task 0", "task 1", "task 2", "flush"])
        }
    }

    @Test func `tasks that keep waking each other do not starve timers`() async throws {
        try await onLoop { loop in
            let isOver = Box(false)
            _ = loop.schedule(at: .now() + .milliseconds(20)) { isOver.value = true }
            let spinning = loop.spawn { while !isOver.value { await Task.yield() } }
            await spinning.value
            #expect(isOver.value)
        }
    }

    @Test func `a loop's heartbeat goes on while it has nothing to do, and stops while it is blocked`()
        async throws
    {
        let group = try LoopGroup(count: 2, name: "beat")
        try group.start()
        try await Task.sleep(for: .milliseconds(600))
        #expect(group.longestSilence() < .seconds(5))
        let release = Semaphore()
        group.loops[1].execute { release.wait() }
        let start = Instant.now()
        while group.longestSilence() < .milliseconds(800) {
            try #require(Instant.now() - start < .seconds(30), "a blocked loop still ticks")
            try await Task.sleep(for: .milliseconds(20))
        }
        release.signal()
        while group.longestSilence() > .milliseconds(500) {
            try #require(
                Instant.now() - start < .seconds(60), "a loop that is no longer blocked does not tick")
            try await Task.sleep(for: .milliseconds(20))
        }
        group.stop()
    }

    @Test func `signals arrive as events`() async throws {
        SignalSource.block([SIGUSR2])
        try await onLoop { loop in
            SignalSource.block([SIGUSR2])
            let received = Box<[Int32]>([])
            let arrived = Waiter(loop)
            let source = try SignalSource([SIGUSR2], on: loop) { signal in
                received.value.append(signal)
                arrived.wake()
            }
            pthread_kill(pthread_self(), SIGUSR2)
            try await arrived.wait(until: .now() + .seconds(120))
            #expect(received.value == [SIGUSR2])
            source.cancel()
        }
    }
}

/// Touched on one loop only.
final class Box<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}

/// Touched on one loop only.
final class Log: @unchecked Sendable {
    var lines: [String] = []
}
