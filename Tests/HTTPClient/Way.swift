import HTTPClient
import Loop

/// Who carries what goes without TLS.
enum Way: CaseIterable, Sendable {
    case ours, libcurl

    /// Call it on the loop.
    func client(
        on loop: EventLoop, _ configuration: HTTPClient.Configuration = HTTPClient.Configuration()
    ) -> HTTPClient {
        var configuration = configuration
        configuration.leavesAllToLibcurl = self == .libcurl
        return HTTPClient(on: loop, configuration)
    }
}
