import Base
import Chat
import HTTPServer
import HTTPWire
import JSON
import Providers

extension Gateway {
    /// Whether the client wants the images that are elsewhere fetched here, for models whose provider does not.
    static func wantsImagesFetched(_ call: ChatCall) throws -> Bool {
        if call.front.dialect == .hivegate { return call.document["fetch_images"]?.bool ?? false }
        return try flag("X-Hivegate-Fetch-Images", in: call.exchange.request.fields)
    }

    /// Goes on with the images in the request.
    // What is seldom needed takes no room of every call.
    @inline(never)
    func fetchImages(of call: ChatCall) async throws {
        let fetch = ImageFetch(by: clients, limits.images, time)
        if let request = try await fetch.inlining(try call.request()) { call.ask(instead: request) }
    }
}
