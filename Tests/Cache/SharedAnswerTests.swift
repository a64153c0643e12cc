import Base
import Cache
import HTTPWire
import Loop
import TestKit
import Testing

struct SharedAnswerTests {
    typealias Answer = SharedAnswer

    private struct Broken: Error {}

    private func answer(
        on loop: EventLoop, largestBytes: Int = 1000, highWater: Int = 100
    ) -> Answer { Answer(on: loop, largestBytes: largestBytes, highWater: highWater) }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// All that a reader gets, and how it ends.
    private static func read(_ reader: Answer.Reader) async -> (text: String, failure: SharedAnswerFailure?) {
        var all: [UInt8] = []
        do throws(SharedAnswerFailure) {
            while let piece = try await reader.next() { all += piece }
            return (String(decoding: all, as: UTF8.self), nil)
        } catch {
            return (String(decoding: all, as: UTF8.self), error)
        }
    }

    @Test func `the last piece is known as such by who reads it, and by nobody before`() async throws {
        try await onLoop { loop in
            let answer = answer(on: loop)
            let reader = try #require(answer.subscribe(on: loop))
            answer.begin("head")
            answer.append(bytes("He"))
            _ = try await reader.next()
            #expect(!reader.hasAll)
            answer.append(bytes("ll"))
            answer.finish(with: bytes("o"))
            _ = try await reader.next()
            #expect(!reader.hasAll)
            let last = try await reader.next()
            #expect(last == bytes("o") && reader.hasAll)
            let end = try await reader.next()
            #expect(end == nil && reader.hasAll)
            // What is there already is read the same.
            let late = try #require(answer.subscribe(on: loop))
            let read = await Self.read(late)
            #expect(read.text == "Hello" && read.failure == nil)
        }
    }

    @Test func `whoever comes, and whenever, reads everything from the start`() async throws {
        try await onLoop { loop in
            let answer = answer(on: loop)
            let first = try #require(answer.subscribe(on: loop))
            answer.begin("head")
            answer.append(bytes("He"))
            let second = try #require(answer.subscribe(on: loop))
            answer.append(bytes("llo"))
            answer.append([])
            #expect(answer.readerCount == 2)
            let head = try await second.head()
            #expect(head == "head")
            #expect(try await second.next() == bytes("He"))
            answer.finish()
            let third = try #require(answer.subscribe(on: loop))
            for (reader, text) in [(first, "Hello"), (second, "llo"), (third, "Hello")] {
                let read = await Self.read(reader)
                #expect(read.text == text && read.failure == nil)
                #expect(try await reader.next() == nil)
            }
            #expect(answer.readerCount == 0)
        }
    }

    @Test func `a reader waits for what is not there yet`() async throws {
        try await onLoop { loop in
            let answer = answer(on: loop)
            let reader = try #require(answer.subscribe(on: loop))
            let isDone = Locked(false)
            let reading = Task(executorPreference: loop) {
                let head = try await reader.head()
                let read = await Self.read(reader)
                isDone.withLock { $0 = true }
                return head.type + read.text
            }
            for step in [{ answer.begin("A") }, { answer.append([0x42]) }, { answer.append([0x43]) }] {
                try await loop.sleep(for: .milliseconds(1))
                #expect(!isDone.withLock { $0 })
                step()
            }
            answer.finish()
            let read = try await reading.value
            #expect(read == "ABC")
        }
    }

    @Test func `an answer that fails before its first piece says so, one that breaks off too`() async throws {
        try await onLoop { loop in
            let early = answer(on: loop)
            let reader = try #require(early.subscribe(on: loop))
            let other = try #require(early.subscribe(on: loop))
            early.fail(Broken())
            guard case .neverBegan(is Broken) = await Self.read(reader).failure else {
                Issue.record("it should have said that it never began")
                return
            }
            await #expect(throws: SharedAnswerFailure.self) { _ = try await other.head() }
            #expect(early.subscribe(on: loop) == nil)

            let late = answer(on: loop)
            let last = try #require(late.subscribe(on: loop))
            late.begin("")
            late.append(bytes("Hel"))
            late.fail(Broken())
            // What there was is read first.
            let read = await Self.read(last)
            guard case .brokeOff(is Broken) = read.failure else {
                Issue.record("it should have said that it broke off")
                return
            }
            #expect(read.text == "Hel")
            #expect(late.subscribe(on: loop) == nil)
        }
    }

    @Test func `an answer that ends without a word has failed`() async throws {
        try await onLoop { loop in
            let answer = answer(on: loop)
            let reader = try #require(answer.subscribe(on: loop))
            answer.finish()
            guard case .neverBegan = await Self.read(reader).failure else {
                Issue.record("it should have said that it never began")
                return
            }
        }
    }

    @Test func `a reader that is cancelled leaves the others alone`() async throws {
        try await onLoop { loop in
            let answer = answer(on: loop)
            let (kept, cancelled) = (
                try #require(answer.subscribe(on: loop)), try #require(answer.subscribe(on: loop))
            )
            let abandoned = Locked(0)
            answer.whenAbandoned { abandoned.withLock { $0 += 1 } }
            answer.begin("")
            let reading = Task(executorPreference: loop) { await Self.read(cancelled).failure }
            answer.append(bytes("a"))
            try await loop.sleep(for: .milliseconds(2))
            reading.cancel()
            guard case .cancelled = await reading.value else {
                Issue.record("it should have been cancelled")
                return
            }
            #expect(answer.readerCount == 1)
            answer.append(bytes("b"))
            answer.finish()
            let read = await Self.read(kept)
            #expect(read.text == "ab" && read.failure == nil)
            #expect(abandoned.withLock { $0 } == 0)
        }
    }

    @Test func `an answer that everybody has left is told once, and nobody comes any more`() async throws {
        try await onLoop { loop in
            let answer = answer(on: loop)
            let told = Locked(0)
            answer.whenAbandoned { told.withLock { $0 += 1 } }
            // Nobody has come yet.
            answer.begin("")
            answer.append(bytes("a"))
            #expect(told.withLock { $0 } == 0)
            var readers = [answer.subscribe(on: loop), answer.subscribe(on: loop)]
            #expect(readers.compactMap { $0 }.count == 2)
            readers[0]?.leave()
            readers[0]?.leave()
            #expect(told.withLock { $0 } == 0)
            // With its last reference a reader is gone, too.
            readers[1] = nil
            #expect(told.withLock { $0 } == 1)
            #expect(answer.subscribe(on: loop) == nil)
            answer.append(bytes("b"))
            try await answer.room()
            answer.finish()
            #expect(told.withLock { $0 } == 1)
            // Who asks too late is told at once.
            answer.whenAbandoned { told.withLock { $0 += 1 } }
            #expect(told.withLock { $0 } == 2)
        }
    }

    @Test func `an answer that was read to its end is not abandoned`() async throws {
        try await onLoop { loop in
            let answer = answer(on: loop)
            let told = Locked(0)
            answer.whenAbandoned { told.withLock { $0 += 1 } }
            let reader = try #require(answer.subscribe(on: loop))
            answer.begin("")
            answer.append(bytes("a"))
            answer.finish()
            _ = await Self.read(reader)
            reader.leave()
            #expect(told.withLock { $0 } == 0)
        }
    }

    @Test func `what is too large to be kept is read by those who are there, and by nobody else`()
        async throws
    {
        try await onLoop { loop in
            let answer = answer(on: loop, largestBytes: 100, highWater: 50)
            let reader = try #require(answer.subscribe(on: loop))
            answer.begin("")
            var expected = ""
            for number in 0..<200 {
                answer.append(bytes("\(number) "))
                expected += "\(number) "
                if number == 20 { #expect(answer.subscribe(on: loop) != nil) }
                // The reader keeps up.
                if number < 199 { #expect(try await reader.next() == bytes("\(number) ")) }
            }
            #expect(answer.subscribe(on: loop) == nil)
            answer.finish()
            #expect(answer.subscribe(on: loop) == nil)
            #expect(try await reader.next() == bytes("199 "))
            #expect(try await reader.next() == nil)
        }
    }

    @Test func `a reader that is too slow for what is kept is told, and does not hold up the others`()
        async throws
    {
        try await onLoop { loop in
            let answer = answer(on: loop, largestBytes: 100, highWater: 50)
            let slow = try #require(answer.subscribe(on: loop))
            let fast = try #require(answer.subscribe(on: loop))
            answer.begin("")
            for _ in 0..<50 {
                answer.append(bytes("1234567890"))
                #expect(try await fast.next() == bytes("1234567890"))
            }
            #expect(answer.readerCount == 1)
            guard case .fellBehind = await Self.read(slow).failure else {
                Issue.record("it should have fallen behind")
                return
            }
            answer.finish()
            #expect(try await fast.next() == nil)
        }
    }

    @Test func `one piece that is larger than all that is kept reaches those who wait for it`() async throws {
        try await onLoop { loop in
            let answer = answer(on: loop, largestBytes: 100, highWater: 50)
            let readers = (0..<3).compactMap { _ in answer.subscribe(on: loop) }
            answer.begin("")
            answer.append([UInt8](repeating: 0x61, count: 5000))
            answer.finish()
            for reader in readers {
                let read = await Self.read(reader)
                #expect(read.text.utf8.count == 5000 && read.failure == nil)
            }
        }
    }

    @Test func `the maker waits for the fastest reader, and for nobody when all have left`() async throws {
        try await onLoop { loop in
            let answer = answer(on: loop, largestBytes: 1000, highWater: 20)
            let fast = try #require(answer.subscribe(on: loop))
            let slow = try #require(answer.subscribe(on: loop))
            answer.begin("")
            let madeCount = Locked(0)
            let making = Task(executorPreference: loop) {
                for _ in 0..<10 {
                    try await answer.room()
                    answer.append([UInt8](repeating: 0, count: 15))
                    madeCount.withLock { $0 += 1 }
                }
            }
            func settled() async throws -> Int {
                try await loop.sleep(for: .milliseconds(3))
                return madeCount.withLock { $0 }
            }
            let first = try await settled()
            #expect(first == 2)
            _ = try await fast.next()
            let second = try await settled()
            #expect(second == 3)
            // The slow one counts for nothing.
            _ = try await slow.next()
            let third = try await settled()
            #expect(third == 3)
            fast.leave()
            // Now it is the fastest, and further behind.
            let fourth = try await settled()
            #expect(fourth == 3)
            slow.leave()
            try await making.value
            #expect(madeCount.withLock { $0 } == 10)
        }
    }

    @Test func `a maker that waits ends with its task`() async throws {
        try await onLoop { loop in
            let answer = answer(on: loop, largestBytes: 1000, highWater: 20)
            let reader = try #require(answer.subscribe(on: loop))
            answer.begin("")
            answer.append([UInt8](repeating: 0, count: 21))
            let making = Task(executorPreference: loop) { try await answer.room() }
            try await loop.sleep(for: .milliseconds(2))
            making.cancel()
            await #expect(throws: WaitFailure.cancelled) { try await making.value }
            #expect(try await reader.next()?.count == 21)
        }
    }
}

extension AnswerHead: ExpressibleByStringLiteral {
    package init(stringLiteral text: String) { self.init(type: text, fields: HTTPFields()) }
}
