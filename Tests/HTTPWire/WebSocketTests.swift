import Base
import HTTPWire
import Testing

struct WebSocketTests {
    typealias Action = WebSocketMachine.Action

    static func receive(
        _ pieces: [[UInt8]], role: WebSocketMachine.Role = .server, limit: Int = 1000
    ) -> [Action] {
        var machine = WebSocketMachine(role: role, messageLimit: limit)
        var actions: [Action] = []
        for piece in pieces {
            var position = 0
            piece.withUnsafeBytes { bytes in
                while true {
                    let action = machine.receive(bytes, &position)
                    switch action {
                    case .needMore: return
                    case .close, .fail:
                        if actions.last != action { actions.append(action) }
                        return
                    default: actions.append(action)
                    }
                }
            }
        }
        return actions
    }

    /// A frame as a client sends it.
    static func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8], final isFinal: Bool = true) -> [UInt8] {
        var wire: [UInt8] = []
        WebSocketFrame.append(opcode, payload, isFinal: isFinal, mask: 0x1234_ABCD, to: &wire)
        return wire
    }

    static func frame(_ opcode: WebSocketOpcode, _ payload: String, final isFinal: Bool = true) -> [UInt8] {
        frame(opcode, Array(payload.utf8), final: isFinal)
    }

    static let wave = Array("👋".utf8)
    /// A server's view: raw bytes of a client and what must come of them.
    static let cases: [(String, [UInt8], [Action])] = [
        // RFC 6455, 5.7
        (
            "a masked Hello", [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58],
            [.text(bytes("Hello"))]
        ),
        ("an empty text", frame(.text, ""), [.text([])]),
        (
            "two messages", frame(.text, "a") + frame(.binary, [0, 255]),
            [.text(bytes("a")), .binary([0, 255])]
        ),
        (
            "fragments with a ping between",
            frame(.text, "a", final: false) + frame(.ping, "p") + frame(.continuation, "b", final: false)
                + frame(.continuation, "c"), [.sendPong(bytes("p")), .text(bytes("abc"))]
        ),
        (
            "a character over two fragments",
            frame(.text, Array(wave[..<2]), final: false) + frame(.continuation, Array(wave[2...])),
            [.text(wave)]
        ),
        ("a pong", frame(.pong, "x"), [.pong]),
        ("a message at the limit", frame(.binary, block(1000)), [.binary(block(1000))]),
        ("a close without code", frame(.close, []), [.close(.absent, reason: [])]),
        ("a close with a reason", frame(.close, [3, 232] + wave), [.close(.normal, reason: wave)]),
        ("an application's close", frame(.close, [0x0F, 0xA0]), [.close(.init(rawValue: 4000), reason: [])]),
        ("nothing after a close", frame(.close, []) + frame(.text, "x"), [.close(.absent, reason: [])]),
        // Violations
        ("no mask", [0x81, 0x01, 0x61], [.fail(.protocolError)]),
        ("a reserved bit", [0xC1, 0x80, 0, 0, 0, 0], [.fail(.protocolError)]),
        ("a reserved bit on a control frame", [0x99, 0x80, 0, 0, 0, 0], [.fail(.protocolError)]),
        ("a reserved opcode", [0x83, 0x80, 0, 0, 0, 0], [.fail(.protocolError)]),
        ("a reserved control opcode", [0x8B, 0x80, 0, 0, 0, 0], [.fail(.protocolError)]),
        ("a fragmented ping", [0x09, 0x80, 0, 0, 0, 0], [.fail(.protocolError)]),
        ("a long ping", [0x89, 0xFE, 0, 126], [.fail(.protocolError)]),
        ("a continuation of nothing", frame(.continuation, "x"), [.fail(.protocolError)]),
        (
            "a text within fragments", frame(.text, "a", final: false) + frame(.text, "b"),
            [.fail(.protocolError)]
        ),
        ("a length longer than needed (16)", [0x82, 0xFE, 0, 125], [.fail(.protocolError)]),
        (
            "a length longer than needed (64)", [0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],
            [.fail(.protocolError)]
        ),
        ("a negative length", [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], [.fail(.protocolError)]),
        ("a huge length", [0x82, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255], [.fail(.messageTooBig)]),
        ("a message beyond the limit", frame(.binary, block(1001)), [.fail(.messageTooBig)]),
        (
            "fragments beyond the limit",
            frame(.binary, block(600), final: false) + frame(.continuation, block(401)),
            [.fail(.messageTooBig)]
        ),
        ("text that is not UTF-8", frame(.text, [0x61, 0xFF]), [.fail(.invalidText)]),
        ("a surrogate", frame(.text, [0xED, 0xA0, 0x80]), [.fail(.invalidText)]),
        ("an overlong form", frame(.text, [0xC0, 0xAF]), [.fail(.invalidText)]),
        ("half a character at the end", frame(.text, Array(wave[..<3])), [.fail(.invalidText)]),
        ("a close of one byte", frame(.close, [3]), [.fail(.protocolError)]),
        ("a close with 1005", frame(.close, [3, 237]), [.fail(.protocolError)]),
        ("a close with 1006", frame(.close, [3, 238]), [.fail(.protocolError)]),
        ("a close with 1015", frame(.close, [3, 247]), [.fail(.protocolError)]),
        ("a close with 999", frame(.close, [3, 231]), [.fail(.protocolError)]),
        ("a close with 2999", frame(.close, [0x0B, 0xB7]), [.fail(.protocolError)]),
        ("a close with 5000", frame(.close, [0x13, 0x88]), [.fail(.protocolError)]),
        ("a close reason that is not UTF-8", frame(.close, [3, 232, 0xFF]), [.fail(.invalidText)]),
    ]

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
    private static func block(_ count: Int) -> [UInt8] { [UInt8](repeating: 7, count: count) }

    @Test(arguments: cases)
    func `each case of the RFC is met, however it is cut`(name: String, wire: [UInt8], expected: [Action]) {
        #expect(Self.receive([wire]) == expected, "\(name)")
        #expect(Self.receive(wire.map { [$0] }) == expected, "\(name), byte by byte")
        for cut in stride(from: 0, through: wire.count, by: max(1, wire.count / 50)) {
            #expect(
                Self.receive([Array(wire[..<cut]), Array(wire[cut...])]) == expected, "\(name) at \(cut)")
        }
    }

    @Test func `bad text is refused at once, not at the end of its message`() {
        let start = Self.frame(.text, [0x61, 0xFF] + Self.block(500), final: false)
        #expect(Self.receive([Array(start[..<10])]) == [.fail(.invalidText)])
    }

    @Test func `a client refuses a masked frame and takes a plain one`() {
        #expect(Self.receive([Self.frame(.text, "a")], role: .client) == [.fail(.protocolError)])
        #expect(Self.receive([[0x81, 0x01, 0x61]], role: .client) == [.text([0x61])])
    }

    @Test(arguments: [0, 1, 7, 125, 126, 127, 65_535, 65_536, 70_001])
    func `a message of any size is read back, masked and plain`(size: Int) {
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for (role, mask) in [(WebSocketMachine.Role.server, UInt32(0xDEAD_BEEF) as UInt32?), (.client, nil)] {
            var wire: [UInt8] = []
            WebSocketFrame.append(.binary, payload, mask: mask, to: &wire)
            #expect(Self.receive([wire], role: role, limit: 100_000) == [.binary(payload)])
            var generator = SeededGenerator(seed: UInt64(size))
            #expect(
                Self.receive(generator.pieces(of: wire), role: role, limit: 100_000) == [.binary(payload)])
        }
    }

    @Test func `a close carries its code, and its reason is cut at a character`() {
        var wire: [UInt8] = []
        WebSocketFrame.append(close: .goingAway, reason: String(repeating: "ü", count: 100), to: &wire)
        #expect(
            Self.receive([wire], role: .client)
                == [.close(.goingAway, reason: Array(String(repeating: "ü", count: 61).utf8))])
        wire = []
        WebSocketFrame.append(close: .absent, to: &wire)
        #expect(wire == [0x88, 0])
    }

    @Test func `the handshake gives the RFC's own answer`() throws {
        #expect(
            WebSocketHandshake.acceptValue(key: Array("dGhlIHNhbXBsZSBub25jZQ==".utf8))
                == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(try accept() == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(try accept("Upgrade: foo, WebSocket", "Connection: keep-alive, Upgrade") == accept())
    }

    @Test func `a handshake that lacks anything is refused`() {
        #expect(throws: WebSocketHandshake.Fault.notAnUpgrade) { try accept("Upgrade: h2c") }
        #expect(throws: WebSocketHandshake.Fault.notAnUpgrade) { try accept("Connection: close") }
        #expect(throws: WebSocketHandshake.Fault.notAnUpgrade) { try accept(method: "POST") }
        #expect(throws: WebSocketHandshake.Fault.wrongVersion) { try accept("Sec-WebSocket-Version: 8") }
        #expect(throws: WebSocketHandshake.Fault.invalidKey) { try accept("Sec-WebSocket-Key: short") }
        #expect(throws: WebSocketHandshake.Fault.invalidKey) {
            try accept("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ!!")
        }
    }

    /// The RFC's handshake with some lines in the place of its own.
    private func accept(_ lines: String..., method: String = "GET") throws -> String {
        var fields = [
            "Host: a", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        for line in lines {
            let name = line.prefix { $0 != ":" }
            fields.removeAll { $0.hasPrefix(name + ":") }
            fields.append(line)
        }
        var parser = RequestHeadParser()
        let request = "\(method) / HTTP/1.1\r\n" + fields.joined(separator: "\r\n") + "\r\n\r\n"
        guard case .head(let head, _) = parser.parse(Array(request.utf8)) else { return "refused" }
        return try WebSocketHandshake.accept(head)
    }
}
