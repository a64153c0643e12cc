package import Chat

/// How one wire format asks upstreams for images. Pure: bytes in, values out, and back.
package protocol ImageCodec: Sendable {
    var dialect: ImageDialect { get }

    /// `request` in this format, for the model that its provider knows as `model`. Where a format gives one image at
    /// a time, a request for several is unsayable (`n`), and to be asked that many times.
    func encode(_ request: ImageRequest, model: String) throws(UpstreamRequest.Unsayable) -> UpstreamRequest

    func decode(_ body: [UInt8]) throws(UpstreamFault) -> ImageReply

    /// What an answer of `status` that is no success says.
    func fault(status: Int, body: [UInt8]) -> UpstreamFault
}
