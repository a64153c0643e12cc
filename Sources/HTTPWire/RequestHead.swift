/// The head of a request: its raw bytes and where its parts lie in them. Router, authorization and signatures
/// all see the same raw `path`.
///
/// Never changed: what is known of a head is handed on as it is, and the next request's may be the same one.
package final class RequestHead: Equatable, Sendable {
    package let method: HTTPMethod
    package let version: HTTPVersion
    package let framing: BodyFraming
    package let expectation: Expectation
    /// Whether the client lets the connection live on after this exchange.
    package let keepsAlive: Bool
    /// Whether `Connection` names `upgrade`.
    package let wantsUpgrade: Bool
    package let fields: HTTPFields

    let targetRange: Range<Int>
    let pathRange: Range<Int>
    let queryRange: Range<Int>?
    let hostRange: Range<Int>?
    /// Where the digits of `Content-Length` are.
    let lengthRange: Range<Int>?

    package enum BodyFraming: Equatable, Sendable {
        case none
        case length(Int)
        case chunked
    }

    package enum Expectation: Equatable, Sendable {
        case none, continues
        /// Anything but `100-continue`: 417.
        case unsupported
    }

    init(
        method: HTTPMethod, version: HTTPVersion, framing: BodyFraming, expectation: Expectation,
        keepsAlive: Bool, wantsUpgrade: Bool, fields: HTTPFields, targetRange: Range<Int>,
        pathRange: Range<Int>, queryRange: Range<Int>?, hostRange: Range<Int>?, lengthRange: Range<Int>?
    ) {
        self.method = method
        self.version = version
        self.framing = framing
        self.expectation = expectation
        self.keepsAlive = keepsAlive
        self.wantsUpgrade = wantsUpgrade
        self.fields = fields
        self.targetRange = targetRange
        self.pathRange = pathRange
        self.queryRange = queryRange
        self.hostRange = hostRange
        self.lengthRange = lengthRange
    }

    /// The same of all that can be asked.
    package static func == (one: RequestHead, other: RequestHead) -> Bool {
        one === other
            || one.method == other.method && one.version == other.version && one.framing == other.framing
                && one.expectation == other.expectation && one.keepsAlive == other.keepsAlive
                && one.wantsUpgrade == other.wantsUpgrade && one.target == other.target
                && one.path == other.path && one.query == other.query && one.host == other.host
                && one.fields == other.fields
    }

    /// The request target as it came.
    package var target: ArraySlice<UInt8> { fields.bytes[targetRange] }
    /// The path as it came, still percent-encoded; `/` at least, or `*` of `OPTIONS *`.
    package var path: ArraySlice<UInt8> { fields.bytes[pathRange] }
    /// What follows the first `?`, still percent-encoded.
    package var query: ArraySlice<UInt8>? { queryRange.map { fields.bytes[$0] } }
    /// The host and port that the client named.
    package var host: ArraySlice<UInt8>? { hostRange.map { fields.bytes[$0] } }

    /// The raw path for as long as `body` runs.
    package func withPath<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        fields.bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[pathRange])) }
    }

    /// Whether the body is in a content coding, which is refused.
    package var hasContentCoding: Bool {
        guard let value = fields["content-encoding"] else { return false }
        return !value.isEmpty && value.map(ASCII.lowercased) != Array("identity".utf8)
    }
}
