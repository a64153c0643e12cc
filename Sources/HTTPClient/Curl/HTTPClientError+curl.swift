import CCurl

extension HTTPClientError {
    init(_ code: CURLcode, wasSent: Bool, detail: String) {
        let kind: Kind =
            switch code {
            // The library says "unsupported protocol" of an answer that is not HTTP, too.
            case CURLE_UNSUPPORTED_PROTOCOL: wasSent ? .protocolError : .invalidRequest
            case CURLE_URL_MALFORMAT, CURLE_NOT_BUILT_IN: .invalidRequest
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
            case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED: .connect
            // The only limit given to the library itself is the one for connecting.
            case CURLE_OPERATION_TIMEDOUT: .connectTimeout
            case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE,
                CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
                .certificate
            case CURLE_SEND_ERROR: .sendFailed
            case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE: .connectionLost
            default: .protocolError
            }
        self.init(kind, mayHaveExecuted: wasSent, detail: detail)
    }
}
