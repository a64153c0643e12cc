// fuzz-target: websocket
// fuzz-modules: HTTPWire Base
// fuzz-max-length: 4096
// fuzz-link: -lcrypto
import HTTPWire

private func receive(
    _ bytes: UnsafeRawBufferPointer, piece: Int, role: WebSocketMachine.Role
) -> [WebSocketMachine.Action] {
    var machine = WebSocketMachine(role: role, messageLimit: 512)
    var actions: [WebSocketMachine.Action] = []
    var start = 0
    while start < bytes.count {
        let input = UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + piece)])
        var position = 0
        loop: while true {
            let action = machine.receive(input, &position)
            switch action {
            case .needMore: break loop
            case .close, .fail: return actions + [action]
            case .text(let message):
                precondition(message.count <= 512 && UTF8Validator.isValid(message))
            case .binary(let message): precondition(message.count <= 512)
            case .sendPong(let payload): precondition(payload.count <= WebSocketFrame.controlLimit)
            case .pong: break
            }
            actions.append(action)
        }
        start += input.count
    }
    return actions
}

/// What frames mean must not depend on how they arrive; every message is bounded and its text valid.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWebSocket(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    for role in [WebSocketMachine.Role.server, .client] {
        let whole = receive(bytes, piece: max(1, count), role: role)
        for piece in [1, 2, 3, 7] {
            precondition(receive(bytes, piece: piece, role: role) == whole, "in pieces the answer differs")
        }
    }
    var wire: [UInt8] = []
    WebSocketFrame.append(.binary, bytes, mask: 0xA5C3_0F96, to: &wire)
    var machine = WebSocketMachine(role: .server, messageLimit: max(1, count))
    var position = 0
    precondition(wire.withUnsafeBytes { machine.receive($0, &position) } == .binary(Array(bytes)))
    return 0
}
