package import Base

/// How the end of a response's body is told.
package enum ResponseFraming: Equatable, Sendable {
    /// No body and no length: 1xx, 204, 304.
    case none
    case length(Int)
    case chunked
    /// The body ends with the connection (HTTP/1.0).
    case untilClose
}

/// What `Connection` says in a response.
package enum ConnectionOption: Equatable, Sendable {
    /// The version's own way: nothing is said.
    case implied
    case close
    /// Said to an HTTP/1.0 client that asked for it.
    case keepAlive
    /// The connection becomes another protocol's (101).
    case upgrade
}

/// Writes the head of a response. `Content-Length`, `Transfer-Encoding`, `Connection` and `Date` belong to
/// the writer.
package struct ResponseHeadWriter: Sendable {
    private var date = HTTPDate()

    package init() {}

    /// Appends the head; throws the fields' own fault, in which case nothing was appended.
    ///
    /// - Parameter others: come behind `fields`; to copy one into the other would cost more than to write both.
    package mutating func append(
        status: Int, fields: HTTPFields, others: HTTPFields = HTTPFields(), framing: ResponseFraming,
        connection: ConnectionOption, at time: Timestamp, to output: inout [UInt8]
    ) throws(HTTPFields.FieldFault) {
        if let fault = fields.fault ?? others.fault { throw fault }
        if fields.namesFramingField || others.namesFramingField { throw .invalidName }
        if status == 200 {
            output.append("HTTP/1.1 200 OK\r\n" as StaticString)
        } else {
            output.append("HTTP/1.1 " as StaticString)
            output.append(decimal: status, width: 3)
            output.append(ASCII.space)
            output.append(HTTPStatus.reason(status))
            output.append("\r\n" as StaticString)
        }
        date.appendLine(at: time, to: &output)
        output.append(contentsOf: fields.wireForm)
        output.append(contentsOf: others.wireForm)
        switch framing {
        case .none, .untilClose: break
        case .chunked: output.append("Transfer-Encoding: chunked\r\n" as StaticString)
        case .length(let length):
            output.append("Content-Length: " as StaticString)
            output.append(decimal: length)
            output.append("\r\n" as StaticString)
        }
        switch connection {
        case .implied: break
        case .close: output.append("Connection: close\r\n" as StaticString)
        case .keepAlive: output.append("Connection: keep-alive\r\n" as StaticString)
        case .upgrade: output.append("Connection: Upgrade\r\n" as StaticString)
        }
        output.append("\r\n" as StaticString)
    }
}

extension HTTPFields {
    /// Whether one of them would contradict what the response writer says of the message.
    var namesFramingField: Bool {
        bytes.withUnsafeBytes { bytes in
            lines.contains { line in
                switch line.nameCount {
                case 4: bytes.matches(line.name, "date")
                case 10: bytes.matches(line.name, "connection")
                case 14: bytes.matches(line.name, "content-length")
                case 17: bytes.matches(line.name, "transfer-encoding")
                default: false
                }
            }
        }
    }
}
