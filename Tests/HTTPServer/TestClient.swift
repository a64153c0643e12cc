import Base
import HTTPServer
import HTTPWire
import Loop

/// Speaks HTTP, byte by byte if need be, over any transport.
// Confined to its loop.
final class TestClient: @unchecked Sendable {
    struct Response: Equatable {
        var status: Int
        var fields: [String: String]
        var body: [UInt8]
        /// Whether a chunked body had its last chunk.
        var isWhole = true

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    struct Failure: Error { var what: String }

    /// Nothing in these tests takes this long; it only keeps a hang from lasting.
    static let patience = Duration.seconds(20)

    let transport: any Transport
    private let loop: EventLoop
    private let changed: Waiter
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    private(set) var received: [UInt8] = []
    private(set) var hasEnded = false
    private(set) var hasFailed = false

    init(_ transport: any Transport, on loop: EventLoop) throws {
        self.transport = transport
        self.loop = loop
        changed = Waiter(loop)
        try transport.start { [weak self] _ in self?.changed.wake() }
    }

    deinit { scratch.deallocate() }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch rest.withUnsafeBytes({ transport.write($0, more: false) }) {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock: try await changed.wait(until: .now() + Self.patience)
            case .end, .failed: throw Failure(what: "cannot send")
            }
        }
    }

    /// Takes what has come, without waiting.
    func readAvailable(atMost limit: Int = .max) {
        var left = limit
        while !hasEnded, left > 0 {
            let room = UnsafeMutableRawBufferPointer(rebasing: scratch[..<min(left, scratch.count)])
            switch transport.read(into: room) {
            case .bytes(let count):
                received.append(contentsOf: room[..<count])
                left -= count
            case .wouldBlock: return
            case .end: hasEnded = true
            case .failed: (hasEnded, hasFailed) = (true, true)
            }
        }
    }

    func wait(_ what: String, until condition: () -> Bool) async throws {
        let deadline = Instant.now() + Self.patience
        while true {
            readAvailable()
            if condition() { return }
            if hasEnded { throw Failure(what: "the connection ended before: \(what)") }
            do {
                try await changed.wait(until: deadline)
            } catch {
                throw Failure(what: "waited too long for: \(what)")
            }
        }
    }

    func waitForEnd() async throws {
        let deadline = Instant.now() + Self.patience
        while true {
            readAvailable()
            if hasEnded { return }
            do {
                try await changed.wait(until: deadline)
            } catch {
                throw Failure(what: "waited too long for the end")
            }
        }
    }

    /// Reads one response. `toHead` when the request was HEAD.
    func response(toHead: Bool = false) async throws -> Response {
        var end = 0
        try await wait("a response's head") {
            guard let found = headEnd() else { return false }
            end = found
            return true
        }
        let lines = String(decoding: received[..<end], as: UTF8.self).split(separator: "\r\n")
        received.removeFirst(end)
        var response = Response(
            status: Int(lines[0].split(separator: " ")[1]) ?? 0, fields: [:], body: [])
        for line in lines.dropFirst() {
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            response.fields[line[..<colon].lowercased()] = String(
                line[colon...].dropFirst().drop { $0 == " " })
        }
        if toHead || HTTPStatus.forbidsBody(response.status) { return response }
        if response.fields["transfer-encoding"] == "chunked" {
            try await readChunks(into: &response)
        } else if let length = response.fields["content-length"].flatMap({ Int($0) }) {
            try await wait("\(length) bytes of body") { received.count >= length }
            response.body = Array(received[..<length])
            received.removeFirst(length)
        } else {
            try await waitForEnd()
            response.isWhole = !hasFailed
            response.body = received
            received = []
        }
        return response
    }

    private func readChunks(into response: inout Response) async throws {
        var decoder = ChunkedDecoder(.request)
        while true {
            readAvailable()
            var position = 0
            var body: [UInt8] = []
            var isDone = false
            received.withUnsafeBytes { bytes in
                loop: while true {
                    switch decoder.decode(bytes, &position) {
                    case .data(let range): body.append(contentsOf: bytes[range])
                    case .needMore: break loop
                    case .end:
                        isDone = true
                        break loop
                    case .fault:
                        isDone = true
                        response.isWhole = false
                        break loop
                    }
                }
            }
            response.body += body
            received.removeFirst(position)
            if isDone { return }
            if hasEnded {
                response.isWhole = false
                return
            }
            do {
                try await changed.wait(until: .now() + Self.patience)
            } catch {
                throw Failure(what: "waited too long for a chunk")
            }
        }
    }

    private func headEnd() -> Int? {
        guard received.count >= 4 else { return nil }
        for index in 0...received.count - 4 where received[index] == 0x0D {
            if received[index..<index + 4].elementsEqual([0x0D, 0x0A, 0x0D, 0x0A]) { return index + 4 }
        }
        return nil
    }

    /// Gives back what was taken and not used.
    func putBack(_ bytes: [UInt8]) { received = bytes + received }

    func takeReceived() -> [UInt8] {
        defer { received = [] }
        return received
    }
}
