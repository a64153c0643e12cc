import Base
import HTTPClient
import Loop
import Providers

/// Looks for servers of the house while the gateway runs, and sets up those that are there.
// Confined to its loop.
final class LocalSearch: @unchecked Sendable {
    private static let pause = Duration.seconds(10)
    private static let largestAnswer = 4 * 1024 * 1024
    private static let deadlines = HTTPClientRequest.Deadlines(
        connect: .seconds(1), firstByte: .seconds(1), betweenBytes: .seconds(1), total: .seconds(1))

    private let loop: EventLoop
    private let client: HTTPClient
    private let directory: UpstreamDirectory
    private let logger: Logger
    private var watch: ModelServerWatch
    private var task: Task<Void, Never>?

    /// Call it on the loop.
    init(
        _ configuration: Configuration, _ directory: UpstreamDirectory, on loop: EventLoop, logger: Logger
    ) {
        let addresses = configuration.localServers
        self.loop = loop
        self.directory = directory
        self.logger = logger
        watch = ModelServerWatch(addresses)
        // Without a proxy: what it reaches is not this house.
        var outbound = HTTPClient.Configuration()
        outbound.idleConnectionCount = max(1, addresses.count)
        outbound.idleHandleCount = addresses.count
        outbound.authorities = configuration.authorities
        outbound.userAgent = "hivegate/\(Version.current)"
        client = HTTPClient(on: loop, outbound)
        if !addresses.isEmpty { task = loop.spawn { [self] in await run() } }
    }

    private func run() async {
        while true {
            let seen = await look()
            // What was not seen because nobody waited for it is not gone.
            if Task.isCancelled { return }
            note(watch.note(seen))
            guard (try? await loop.sleep(for: Self.pause)) != nil else { return }
        }
    }

    /// At all of them at once.
    private func look() async -> [ModelServerAddress: ModelServer] {
        await withTaskGroup(of: (ModelServerAddress, ModelServer?).self) { group in
            for address in watch.addresses {
                group.addTask { (address, await self.server(at: address)) }
            }
            var seen: [ModelServerAddress: ModelServer] = [:]
            for await (address, server) in group { seen[address] = server }
            return seen
        }
    }

    /// nil where nobody answers whom we know.
    private func server(at address: ModelServerAddress) async -> ModelServer? {
        var recognition = ModelServerRecognition()
        while let question = recognition.next {
            do {
                let request = HTTPClientRequest(
                    url: address.url + question.path, deadlines: Self.deadlines)
                let (status, body) = try await client.withResponse(request) { response in
                    (response.status, try await response.body(limit: Self.largestAnswer))
                }
                recognition.answered(status: status, body)
            } catch {
                // As a rule nothing is there, and that is nothing to speak of.
                return nil
            }
        }
        return recognition.server
    }

    private func note(_ changes: [ModelServerWatch.Change]) {
        if changes.isEmpty { return }
        directory.replace(watch.settings, from: .found)
        for change in changes {
            switch change {
            case .found(let place):
                logger.info(
                    "a local server is there", ("provider", "\(place.server.rawValue)"),
                    ("url", "\(place.address)"))
            case .gone(let place):
                logger.info(
                    "a local server is gone", ("provider", "\(place.server.rawValue)"),
                    ("url", "\(place.address)"))
            }
        }
    }

    func close() async {
        task?.cancel()
        await task?.value
    }
}
