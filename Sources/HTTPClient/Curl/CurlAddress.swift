import CCurl

/// A URL, parsed once. Most requests of a handle go where its last one went, and libcurl would parse the text for
/// each of them.
// Confined to its loop.
final class CurlAddress {
    let text: String
    let parsed: OpaquePointer

    init(_ text: String) throws(HTTPClientError) {
        guard let parsed = curl_url() else { throw HTTPClientError(.invalidRequest, detail: "no memory") }
        self.text = text
        self.parsed = parsed
        // Which schemes are allowed is set with the handle's other options.
        let code = curl_url_set(parsed, CURLUPART_URL, text, UInt32(CURLU_NON_SUPPORT_SCHEME))
        guard code == CURLUE_OK else { throw HTTPClientError(.invalidRequest, detail: "URL refused") }
    }

    deinit { curl_url_cleanup(parsed) }
}
