import Base

/// Reads one side of a WebSocket: frames in, what to do out (RFC 6455). It holds no socket and sends nothing
/// itself.
package struct WebSocketMachine: Equatable, Sendable {
    /// Which side reads: a server takes masked frames only, a client unmasked ones only.
    package enum Role: Equatable, Sendable { case server, client }

    package enum Action: Equatable, Sendable {
        case needMore
        case text([UInt8])
        case binary([UInt8])
        /// A ping came: send a pong with this payload.
        case sendPong([UInt8])
        /// A pong came.
        case pong
        /// The other side closes: echo the code (unless our own close went before) and end.
        case close(WebSocketCloseCode, reason: [UInt8])
        /// The other side broke the protocol: send this code and end.
        case fail(WebSocketCloseCode)
    }

    package static let defaultMessageLimit = 1024 * 1024

    package let role: Role
    /// The most one message, of all its fragments, may hold; beyond it 1009.
    package let messageLimit: Int

    private var stage = Stage.first
    private var header = Header()
    private var payload: [UInt8] = []
    /// The fragments so far of the message that is not finished.
    private var message: [UInt8] = []
    private var messageKind: WebSocketOpcode?
    private var text = UTF8Validator()
    private var outcome: Action?

    private enum Stage: Equatable, Sendable {
        case first, second
        case length(Int)
        case mask(Int)
        case payload
    }

    private struct Header: Equatable, Sendable {
        var isFinal = false
        var opcode = WebSocketOpcode.continuation
        var isMasked = false
        var length: UInt64 = 0
        /// The least that this form of the length may say.
        var shortest: UInt64 = 0
        var mask: UInt32 = 0
        /// How much of the payload has come.
        var received = 0
    }

    package init(role: Role = .server, messageLimit: Int = WebSocketMachine.defaultMessageLimit) {
        self.role = role
        self.messageLimit = messageLimit
    }

    /// Reads `input` from `position` on up to the next action and moves `position` past what was read. After
    /// `close` or `fail` nothing more is read.
    package mutating func receive(_ input: UnsafeRawBufferPointer, _ position: inout Int) -> Action {
        if let outcome { return outcome }
        while true {
            if stage == .payload {
                guard let action = takePayload(input, &position) else {
                    if position == input.count { return .needMore }
                    continue
                }
                switch action {
                case .close, .fail: outcome = action
                default: break
                }
                return action
            }
            guard position < input.count else { return .needMore }
            let byte = input[position]
            position += 1
            if let code = takeHeader(byte) {
                outcome = .fail(code)
                return .fail(code)
            }
        }
    }

    // MARK: Header

    /// Takes one byte of a frame's header; a code when the frame must be refused.
    private mutating func takeHeader(_ byte: UInt8) -> WebSocketCloseCode? {
        switch stage {
        case .first:
            header = Header()
            header.isFinal = byte & 0x80 != 0
            guard byte & 0x70 == 0, let opcode = WebSocketOpcode(rawValue: byte & 0x0F) else {
                return .protocolError
            }
            header.opcode = opcode
            if opcode.isControl && !header.isFinal { return .protocolError }
            if opcode == .continuation && messageKind == nil { return .protocolError }
            if (opcode == .text || opcode == .binary) && messageKind != nil { return .protocolError }
            stage = .second
        case .second:
            header.isMasked = byte & 0x80 != 0
            if header.isMasked != (role == .server) { return .protocolError }
            let length = byte & 0x7F
            if header.opcode.isControl && length > 125 { return .protocolError }
            header.length = length < 126 ? UInt64(length) : 0
            switch length {
            case 126: (stage, header.shortest) = (.length(2), 126)
            case 127: (stage, header.shortest) = (.length(8), 0x1_0000)
            default: return lengthIsKnown()
            }
        case .length(let left):
            header.length = header.length << 8 | UInt64(byte)
            if left > 1 {
                stage = .length(left - 1)
                return nil
            }
            return lengthIsKnown()
        case .mask(let left):
            header.mask = header.mask << 8 | UInt32(byte)
            stage = left > 1 ? .mask(left - 1) : .payload
        case .payload:
            break
        }
        return nil
    }

    private mutating func lengthIsKnown() -> WebSocketCloseCode? {
        // The shortest form is the only one, and the top bit of the long one is reserved.
        if header.length < header.shortest || header.length >> 63 != 0 { return .protocolError }
        if !header.opcode.isControl, header.length > UInt64(max(0, messageLimit - message.count)) {
            return .messageTooBig
        }
        stage = header.isMasked ? .mask(4) : .payload
        return nil
    }

    // MARK: Payload

    private mutating func takePayload(_ input: UnsafeRawBufferPointer, _ position: inout Int) -> Action? {
        let count = min(Int(header.length) - header.received, input.count - position)
        if count > 0 {
            let start = payload.count
            payload.append(UnsafeRawBufferPointer(rebasing: input[position..<position + count]))
            position += count
            if header.isMasked {
                payload.withUnsafeMutableBytes { bytes in
                    WebSocketFrame.unmask(
                        UnsafeMutableRawBufferPointer(rebasing: bytes[start...]), header.mask,
                        from: header.received)
                }
            }
            header.received += count
            if isText,
                !payload.withUnsafeBytes({ text.accept(UnsafeRawBufferPointer(rebasing: $0[start...])) })
            {
                return .fail(.invalidText)
            }
        }
        guard header.received == Int(header.length) else { return nil }
        stage = .first
        return finishFrame()
    }

    /// Whether the frame at hand carries text.
    private var isText: Bool {
        header.opcode == .text || (header.opcode == .continuation && messageKind == .text)
    }

    private mutating func finishFrame() -> Action? {
        var whole: [UInt8] = []
        swap(&whole, &payload)
        switch header.opcode {
        case .ping: return .sendPong(whole)
        case .pong: return .pong
        case .close: return Self.close(whole)
        case .text, .binary: messageKind = header.opcode
        case .continuation: break
        }
        if message.isEmpty { message = whole } else { message.append(contentsOf: whole) }
        guard header.isFinal else { return nil }
        let kind = messageKind
        messageKind = nil
        whole = []
        swap(&whole, &message)
        guard kind == .text else { return .binary(whole) }
        guard text.isComplete else { return .fail(.invalidText) }
        return .text(whole)
    }

    private static func close(_ payload: [UInt8]) -> Action {
        if payload.isEmpty { return .close(.absent, reason: []) }
        guard payload.count >= 2 else { return .fail(.protocolError) }
        let code = WebSocketCloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
        guard code.maySend else { return .fail(.protocolError) }
        let reason = Array(payload[2...])
        return UTF8Validator.isValid(reason) ? .close(code, reason: reason) : .fail(.invalidText)
    }
}
