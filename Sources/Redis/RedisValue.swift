/// A reply, copied out of hiredis's memory.
package enum RedisValue: Equatable, Sendable {
    case null
    case integer(Int)
    /// A bulk string: any bytes.
    case bytes([UInt8])
    /// `OK`, `PONG`, `QUEUED`.
    case status(String)
    case array([RedisValue])
    /// The command failed; those before and after it in a pipeline did not.
    case error(RedisServerError)
}

extension RedisValue {
    package var isNull: Bool { self == .null }

    package var integer: Int? { if case .integer(let integer) = self { integer } else { nil } }

    package var bytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }

    package var array: [RedisValue]? { if case .array(let elements) = self { elements } else { nil } }

    package var error: RedisServerError? { if case .error(let error) = self { error } else { nil } }

    /// A bulk string that is text, or a status.
    package var string: String? {
        switch self {
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .status(let status): status
        default: nil
        }
    }
}
