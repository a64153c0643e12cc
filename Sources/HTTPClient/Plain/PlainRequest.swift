import Base
import HTTPWire

/// A request as it is written to a connection without TLS.
struct PlainRequest {
    /// With a short body, which leaves in the same packet.
    let start: [UInt8]
    /// A longer body.
    let rest: [UInt8]
    let upload: HTTPUpload?
    let isHEAD: Bool

    private static let shortBody = 16 * 1024

    init(_ request: HTTPClientRequest, to address: PlainAddress, userAgent: String) throws(HTTPClientError) {
        var fields = HTTPFields()
        let hasHost = request.fields.contains { $0.name.utf8.count == 4 && $0.name.lowercased() == "host" }
        if !hasHost { fields.append(known: "Host", address.host) }
        for (name, value) in request.fields { fields.append(name, value) }
        if !fields.contains("user-agent") { fields.append(known: "User-Agent", userAgent) }
        if !fields.contains("accept") { fields.append(known: "Accept", "*/*" as StaticString) }

        var body: [UInt8] = []
        var framing = RequestHead.BodyFraming.none
        switch request.body {
        case .none:
            upload = nil
            // Of these a body is expected.
            if ["POST", "PUT", "PATCH"].contains(request.method) { framing = .length(0) }
        case .bytes(let bytes):
            upload = nil
            body = bytes
            framing = .length(bytes.count)
        case .stream(let stream):
            upload = stream
            framing = .chunked
        }
        let isShort = body.count <= Self.shortBody
        var start: [UInt8] = []
        start.reserveCapacity(fields.wireForm.count + 512 + (isShort ? body.count : 0))
        do throws(HTTPFields.FieldFault) {
            try RequestHeadWriter.append(
                request.method, address.target, fields, framing: framing, to: &start)
        } catch {
            throw HTTPClientError(.invalidRequest, detail: "\(error)")
        }
        if isShort { body.withUnsafeBytes { start.append($0) } }
        self.start = start
        rest = isShort ? [] : body
        isHEAD = request.method == "HEAD"
    }

    /// Whether it can be sent once more.
    var isRepeatable: Bool { upload == nil }
}
