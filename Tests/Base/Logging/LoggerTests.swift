import Base
import Testing

struct LoggerTests {
    private let time = TimeSource(
        instant: { Instant(nanoseconds: 0) }, timestamp: { Timestamp(microseconds: 1_795_228_100_123_456) })

    private func lines(_ format: Logger.Format, _ body: (Logger) -> Void) -> String {
        let written = Locked<[UInt8]>([])
        let sink = LogSink { bytes in written.withLock { $0 += bytes } }
        body(Logger(level: .info, format: format, sink: sink, time: time))
        sink.flush()
        return String(decoding: written.withLock { $0 }, as: UTF8.self)
    }

    @Test func `a line is one JSON object, whatever its values hold`() {
        let text = lines(.json) {
            $0.info("request", ("path", "/a\"b\n{\"level\":\"error\"}"), ("status", 200), ("hit", true))
        }
        #expect(
            text == #"{"time":"2026-11-21T02:28:20.123Z","level":"info","message":"request","#
                + #""path":"/a\"b\u000a{\"level\":\"error\"}","status":200,"hit":true}"# + "\n")
    }

    @Test func `a terminal gets plain lines`() {
        #expect(
            lines(.pretty) { $0.warning("slow", ("name", "x")) }
                == "2026-11-21T02:28:20.123Z WARNING slow  name=\"x\"\n")
    }

    @Test func `what is below the level is not written`() {
        #expect(lines(.json) { $0.debug("nothing") } == "")
    }

    @Test func `a reader that does not read costs lines and no memory, and is told how many`() {
        let gate = Locked(false)
        let written = Locked<[UInt8]>([])
        let sink = LogSink { bytes in
            while !gate.withLock({ $0 }) {}
            written.withLock { $0 += bytes }
        }
        let logger = Logger(sink: sink)
        for _ in 0..<30_000 { logger.info("a line that is long enough to fill the backlog after some time") }
        gate.withLock { $0 = true }
        logger.info("last")
        sink.flush()
        let text = written.withLock { String(decoding: $0, as: UTF8.self) }
        #expect(text.utf8.count < 4 * 1024 * 1024)
        #expect(text.contains("log lines dropped"))
    }
}
