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
        let reason = HTTPStatus.reason(status)
        let date = date.line(at: time)
        let (lines, otherLines) = (fields.wireForm, others.wireForm)
        let most = Self.mostBesideFields + reason.utf8CodeUnitCount + lines.count + otherLines.count
        output.append(atMost: most) { text in
            text.write("HTTP/1.1 ")
            text.write(decimal: UInt(status))
            text.write(ASCII.space)
            text.write(reason)
            text.write("\r\n")
            date.withUnsafeBytes { text.write($0) }
            lines.withUnsafeBytes { text.write($0) }
            otherLines.withUnsafeBytes { text.write($0) }
            switch framing {
            case .none, .untilClose: break
            case .chunked: text.write("Transfer-Encoding: chunked\r\n")
            case .length(let length):
                text.write("Content-Length: ")
                text.write(decimal: UInt(length))
                text.write("\r\n")
            }
            switch connection {
            case .implied: break
            case .close: text.write("Connection: close\r\n")
            case .keepAlive: text.write("Connection: keep-alive\r\n")
            case .upgrade: text.write("Connection: Upgrade\r\n")
            }
            text.write("\r\n")
        }
    }

    private static let mostBesideFields = 160
}
