import Base

/// Writes the head of a request to another server.
package enum RequestHeadWriter {
    /// Appends the head; throws the fields' own fault, in which case nothing was appended. The lengths of the body belong
    /// to the writer.
    ///
    /// - Parameter target: path and query as a `URLAddress` has them.
    package static func append(
        _ method: String, _ target: String, _ fields: HTTPFields, framing: RequestHead.BodyFraming,
        to output: inout [UInt8]
    ) throws(HTTPFields.FieldFault) {
        if let fault = fields.fault { throw fault }
        if fields.contains("content-length") || fields.contains("transfer-encoding") { throw .invalidName }
        var (method, target) = (method, target)
        let lines = fields.wireForm
        method.withUTF8 { method in
            target.withUTF8 { target in
                output.append(atMost: mostBeside + method.count + target.count + lines.count) { text in
                    text.write(UnsafeRawBufferPointer(method))
                    text.write(ASCII.space)
                    text.write(UnsafeRawBufferPointer(target))
                    text.write(" HTTP/1.1\r\n")
                    lines.withUnsafeBytes { text.write($0) }
                    switch framing {
                    case .none: break
                    case .length(let length):
                        text.write("Content-Length: ")
                        text.write(decimal: UInt(length))
                        text.write("\r\n")
                    case .chunked: text.write("Transfer-Encoding: chunked\r\n")
                    }
                    text.write("\r\n")
                }
            }
        }
    }

    private static let mostBeside = 80
}
