import Base
import HTTPWire

/// One file in its forms, with its fields made once.
struct StaticFile: Sendable {
    private let plain: Form
    private let brotli: Form?
    private let gzip: Form?

    private struct Form: Sendable {
        let content: [UInt8]
        let tag: [UInt8]
        let fields: HTTPFields
    }

    init(path: String, _ content: [UInt8], brotli: [UInt8]?, gzip: [UInt8]?, cacheControl: String) {
        let varies = brotli != nil || gzip != nil
        func form(_ content: [UInt8], _ coding: String?) -> Form {
            let tag = "\"\(String(hex: Digest.sha256(content).prefix(16)))\""
            var fields: HTTPFields = [
                "Content-Type": ContentType.of(path), "ETag": tag, "Cache-Control": cacheControl,
                "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff",
            ]
            if varies { fields.append("Vary", "Accept-Encoding") }
            if let coding { fields.append("Content-Encoding", coding) }
            return Form(content: content, tag: Array(tag.utf8), fields: fields)
        }
        plain = form(content, nil)
        self.brotli = brotli.map { form($0, "br") }
        self.gzip = gzip.map { form($0, "gzip") }
    }

    func respond(_ exchange: Exchange, _ additional: HTTPFields) {
        let request = exchange.request.fields
        let form = form(for: request)
        var fields = form.fields
        fields.append(contentsOf: additional)
        if EntityTagCondition.matches(request.values("if-none-match"), tag: form.tag) {
            fields.remove("Content-Type")
            return exchange.respond(304, fields)
        }
        switch Self.range(request, form) {
        case .whole: exchange.respond(200, fields, body: form.content)
        case .part(let range):
            fields.append(
                "Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(form.content.count)")
            exchange.respond(206, fields, body: Array(form.content[range]))
        case .unsatisfiable:
            fields.remove("Content-Type")
            fields.append("Content-Range", "bytes */\(form.content.count)")
            exchange.respond(416, fields)
        }
    }

    private func form(for request: HTTPFields) -> Form {
        if brotli == nil && gzip == nil { return plain }
        let accept = AcceptEncoding(request.values("accept-encoding"))
        if accept.brotli, let brotli { return brotli }
        if accept.gzip, let gzip { return gzip }
        return plain
    }

    /// `If-Range` with another tag (or a date, which we do not give) asks for the whole.
    private static func range(_ request: HTTPFields, _ form: Form) -> RangeRequest {
        if let condition = request["if-range"], !condition.elementsEqual(form.tag) { return .whole }
        return RangeRequest(request["range"], length: form.content.count)
    }
}
