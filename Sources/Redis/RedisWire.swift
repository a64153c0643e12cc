import Base
import CHiredis
import Glibc
import Loop

/// One socket to Redis: hiredis connects it and parses what comes, the loop says when, and writing is done here, once
/// a tick. What most replies are, strings that have come whole, is taken out before hiredis gets to see it: it would copy
/// each twice and ask for memory four times, which was a twentieth of a request.
///
/// hiredis's own event adapter (`async.h`) is not used: it ends the process with `assert` when a reply comes that nobody
/// asked for, which is what a corrupted or confused peer sends.
// Confined to its loop.
final class RedisWire: @unchecked Sendable {
    private let loop: EventLoop
    private let context: UnsafeMutablePointer<redisContext>
    private var registration: Registration?
    private var owner: (any RedisWireOwner)?
    private let maximumReplyBytes: Int

    private var output: [UInt8] = []
    /// The bytes of `output` that the kernel has.
    private var sentCount = 0
    private var isConnected = false
    private var isFlushScheduled = false
    private var isWriteBlocked = false
    private var isReading = false
    private var isClosed = false
    /// Bytes given to the parser since it last had a whole reply.
    private var pendingReplyBytes = 0

    /// Bytes appended, and bytes the kernel took, since the start.
    private(set) var appended: UInt64 = 0
    private(set) var written: UInt64 = 0
    private(set) var writeCount = 0

    /// What one read takes. Kept: a buffer of this size for each read was the largest thing a request allocated.
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    /// A buffer that grew beyond this is given back once it is empty.
    private static let keptOutputCapacity = 1024 * 1024

    /// Starts to connect. Call it on the loop.
    init(_ target: Target, owner: any RedisWireOwner, maximumReplyBytes: Int, on loop: EventLoop)
        throws(RedisError)
    {
        self.loop = loop
        self.owner = owner
        self.maximumReplyBytes = maximumReplyBytes
        let opened: UnsafeMutablePointer<redisContext>? =
            switch target {
            case .address(let address, let port): redisConnectNonBlock(address.description, Int32(port))
            case .path(let path): redisConnectUnixNonBlock(path)
            }
        guard let opened else { throw RedisError(.unavailable, detail: "hiredis has no memory") }
        context = opened
        guard opened.pointee.err == 0 else {
            let detail = Self.message(of: opened)
            abandon()
            throw RedisError(.unavailable, detail: detail)
        }
        _ = hiredis_close_on_exec(opened.pointee.fd)
        do {
            registration = try loop.register(opened.pointee.fd, [.read, .write]) { [weak self] in
                self?.handle($0)
            }
        } catch {
            abandon()
            throw RedisError(.unavailable, detail: error.description)
        }
    }

    /// Before anything is registered.
    private func abandon() {
        isClosed = true
        owner = nil
        redisFree(context)
    }

    enum Target {
        case address(IPAddress, port: Int)
        case path(String)
    }

    var unsentCount: Int { output.count - sentCount }

    /// Adds commands to what is written at the end of this tick.
    func append(_ encode: (inout [UInt8]) -> Void) {
        let before = output.count
        encode(&output)
        appended += UInt64(output.count - before)
        scheduleFlush()
    }

    /// Gives the socket up. The parser may be at work further up the stack; it is freed when it has returned.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        owner = nil
        if let registration { loop.deregister(registration) }
        registration = nil
        if !isReading { redisFree(context) }
    }

    deinit {
        precondition(isClosed, "a wire is closed by its owner")
        input.deallocate()
    }

    // MARK: Events

    private func handle(_ readiness: Readiness) {
        if !isConnected {
            guard readiness.canWrite || readiness.hasError else { return }
            finishConnecting()
        } else if readiness.canWrite, isWriteBlocked {
            isWriteBlocked = false
            flush()
            updateInterest()
        }
        if !isClosed, isConnected, readiness.canRead || readiness.hasError { read() }
    }

    private func finishConnecting() {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        if getsockopt(context.pointee.fd, SOL_SOCKET, SO_ERROR, &code, &length) != 0 { code = errno }
        guard code == 0 else { return fail(SystemError("connect", code: code).description) }
        isConnected = true
        updateInterest()
        owner?.wireConnected(self)
        if !output.isEmpty { scheduleFlush() }
    }

    private func updateInterest() {
        guard let registration, !isClosed else { return }
        do {
            try loop.update(registration, isWriteBlocked ? [.read, .write] : .read)
        } catch {
            fail(error.description)
        }
    }

    private func fail(_ detail: String) {
        let owner = owner
        close()
        owner?.wireFailed(self, detail)
    }
}

// MARK: - Writing
extension RedisWire {
    private func scheduleFlush() {
        guard isConnected, !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.atTickEnd { [self] in
            isFlushScheduled = false
            if !isClosed, !isWriteBlocked { flush() }
        }
    }

    private func flush() {
        while sentCount < output.count {
            let count = output.withUnsafeBytes { bytes in
                send(
                    context.pointee.fd, bytes.baseAddress.map { $0 + sentCount }, bytes.count - sentCount,
                    Int32(MSG_NOSIGNAL))
            }
            writeCount += 1
            if count > 0 {
                sentCount += count
                written += UInt64(count)
            } else if errno == EAGAIN {
                isWriteBlocked = true
                updateInterest()
                return
            } else if errno != EINTR {
                return fail(SystemError("send").description)
            }
        }
        output.removeAll(keepingCapacity: output.capacity <= Self.keptOutputCapacity)
        sentCount = 0
    }
}

// MARK: - Reading
extension RedisWire {
    private func read() {
        isReading = true
        let failure = readOnce()
        isReading = false
        if isClosed {
            // Closed by its owner while the parser was at work.
            redisFree(context)
        } else if let failure {
            fail(failure)
        }
    }

    /// Reads what is there, up to a bound, and hands over the replies that are whole. Returns why it failed.
    private func readOnce() -> String? {
        let count = recv(context.pointee.fd, input.baseAddress, input.count, 0)
        if count == 0 { return "Redis closed the connection" }
        if count < 0 {
            let code = errno
            return code == EAGAIN || code == EINTR ? nil : SystemError("recv", code: code).description
        }
        var start = takeWholeStrings(UnsafeRawBufferPointer(rebasing: input[..<count]))
        while start < count, !isClosed {
            let end = min(start + Self.mouthful, count)
            if let failure = parse(UnsafeRawBufferPointer(rebasing: input[start..<end])) { return failure }
            start = end
        }
        if isClosed { return nil }
        if holdsPart { owner?.wireHoldsPart(self) }
        return pendingReplyBytes > maximumReplyBytes ? "a reply of more than \(maximumReplyBytes) bytes" : nil
    }

    /// Hands over the strings that `bytes` begin with, where the parser has nothing of a reply yet. Says how many bytes they are.
    private func takeWholeStrings(_ bytes: UnsafeRawBufferPointer) -> Int {
        var start = 0
        if holdsPart { return 0 }
        while !isClosed, start < bytes.count, bytes[start] == 0x24 {
            var place = start + 1
            var length = 0
            // What comes in one read has fewer digits.
            while place < bytes.count, place - start < 10, bytes[place] &- 0x30 < 10 {
                length = length * 10 + Int(bytes[place] &- 0x30)
                place += 1
            }
            let end = place + 2 + length
            guard place > start + 1, end + 2 <= bytes.count, bytes[place] == 0x0D, bytes[place + 1] == 0x0A,
                bytes[end] == 0x0D, bytes[end + 1] == 0x0A
            else { break }
            let value = [UInt8](UnsafeRawBufferPointer(rebasing: bytes[place + 2..<end]))
            start = end + 2
            owner?.wireReceived(self, .bytes(value))
        }
        return start
    }

    /// What the parser gets at once: with each reply that it gives out it moves all that lies behind.
    private static let mouthful = 2048

    /// Returns why it failed.
    private func parse(_ bytes: UnsafeRawBufferPointer) -> String? {
        let reader = context.pointee.reader
        guard redisReaderFeed(reader, bytes.bindMemory(to: CChar.self).baseAddress, bytes.count) == REDIS_OK
        else { return "hiredis has no memory" }
        pendingReplyBytes += bytes.count
        while !isClosed {
            var reply: UnsafeMutableRawPointer?
            guard redisReaderGetReply(reader, &reply) == REDIS_OK else {
                return "not the protocol of Redis"
            }
            guard let reply else { break }
            let value = RedisValue(copying: reply.assumingMemoryBound(to: redisReply.self))
            freeReplyObject(reply)
            pendingReplyBytes = 0
            owner?.wireReceived(self, value)
        }
        return nil
    }

    /// Whether the parser is in the middle of a reply. Between replies it may have set up the task for the next one,
    /// which has no type yet.
    private var holdsPart: Bool {
        let reader = context.pointee.reader
        guard let reader else { return false }
        if reader.pointee.pos < reader.pointee.len || reader.pointee.ridx > 0 { return true }
        return reader.pointee.ridx == 0 && reader.pointee.rstack.0.type >= 0
    }

    private static func message(of context: UnsafeMutablePointer<redisContext>) -> String {
        withUnsafeBytes(of: context.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// Who is told what happens on a wire. After `wireFailed` nothing more comes.
protocol RedisWireOwner: AnyObject {
    func wireConnected(_ wire: RedisWire)
    func wireReceived(_ wire: RedisWire, _ value: RedisValue)
    /// The beginning of a reply has come.
    func wireHoldsPart(_ wire: RedisWire)
    func wireFailed(_ wire: RedisWire, _ detail: String)
}
