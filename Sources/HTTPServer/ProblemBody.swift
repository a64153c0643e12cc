import Base
import HTTPWire

/// The server's own way to show a problem: `{"error":{"code":…,"message":…}}`. The gateway brings its
/// dialects'.
package enum ProblemBody {
    package static func respond(_ error: any Error, _ exchange: Exchange) {
        let problem = error as? Problem ?? Problem(unforeseen: error)
        var fields: HTTPFields = ["Content-Type": "application/json"]
        if let seconds = problem.retryAfterSeconds { fields.append("Retry-After", seconds) }
        exchange.respond(
            problem.kind.status, fields, body: bytes(code: problem.code, message: problem.message))
    }

    static func bytes(code: String, message: String) -> [UInt8] {
        var body: [UInt8] = []
        body.append("{\"error\":{\"code\":\"" as StaticString)
        appendEscaped(code, to: &body)
        body.append("\",\"message\":\"" as StaticString)
        appendEscaped(message, to: &body)
        body.append("\"}}" as StaticString)
        return body
    }

    private static func appendEscaped(_ text: String, to body: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C:
                body.append(0x5C)
                body.append(byte)
            case 0..<0x20:
                body.append("\\u00" as StaticString)
                body.append(hex: [byte])
            default: body.append(byte)
            }
        }
    }
}
