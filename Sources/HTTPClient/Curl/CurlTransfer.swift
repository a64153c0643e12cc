import CCurl

/// What libcurl's multi handle works on: an easy handle, and whoever waits for its end.
// Confined to its loop.
class CurlTransfer: @unchecked Sendable {
    let easy: UnsafeMutableRawPointer
    /// Whether libcurl's multi handle has it.
    var isStarted = false

    init(_ easy: UnsafeMutableRawPointer) { self.easy = easy }

    deinit { curl_easy_cleanup(easy) }

    /// Only stores and wakes: the handle is taken out later, outside of libcurl.
    func finished(_ result: CURLcode) {}

    static func owner(of context: UnsafeMutableRawPointer?) -> CurlTransfer {
        guard let context else { preconditionFailure("libcurl lost its context") }
        return Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    }
}
