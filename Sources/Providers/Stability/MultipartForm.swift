import Base

/// Fields as `multipart/form-data`.
struct MultipartForm {
    private var fields: [(name: StaticString, value: String)] = []

    mutating func add(_ name: StaticString, _ value: String?) {
        if let value { fields.append((name, value)) }
    }

    /// The same fields give the same bytes. The boundary is made from what it bounds: no value can have it within.
    func encoded() -> (contentType: String, body: [UInt8]) {
        var content: [UInt8] = []
        for field in fields {
            content.append(field.name)
            content.append(0)
            content.append(field.value)
            content.append(0)
        }
        let boundary = "hivegate-\(String(hex: Digest.sha256(content).prefix(16)))"
        var body: [UInt8] = []
        for field in fields {
            body.append("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(field.name)\"\r\n\r\n")
            body.append(field.value)
            body.append("\r\n" as StaticString)
        }
        body.append("--\(boundary)--\r\n")
        return ("multipart/form-data; boundary=\(boundary)", body)
    }
}
