import Base
import Catalog
import Gateway
import HTTPClient
import Identity
import Loop

/// Imports the instance's list of prices again and again.
enum PriceUpdates {
    private static let deadlines = HTTPClientRequest.Deadlines(
        connect: .seconds(10), firstByte: .seconds(30), betweenBytes: .seconds(30), total: .seconds(120))

    /// The list could not be had.
    private struct Unavailable: Error, CustomStringConvertible {
        let description: String
    }

    /// Works on the worker's loop; nil where there is no list.
    static func start(_ configuration: Configuration, _ worker: Worker, logger: Logger) -> Repetition? {
        guard let source = configuration.priceSource else { return nil }
        var outbound = HTTPClient.Configuration()
        outbound.proxy = configuration.proxy
        outbound.authorities = configuration.authorities
        outbound.userAgent = "hivegate/\(Version.current)"
        let client = HTTPClient(on: worker.loop, outbound)
        return Repetition(
            on: worker.loop, every: configuration.priceUpdateInterval, "PRICING_SOURCE was not imported",
            logger: logger
        ) {
            let bytes = try await read(source, client)
            let list = try await Task.detached {
                let format = PriceFormat(of: bytes)
                return PriceImport.List(try format.read(bytes), source: format.source)
            }.value
            try await take(list, worker, logger)
        }
    }

    private static func read(_ source: String, _ client: HTTPClient) async throws -> [UInt8] {
        guard source.hasPrefix("http://") || source.hasPrefix("https://") else {
            guard let bytes = Files.read(source) else {
                throw Unavailable(description: "the file cannot be read")
            }
            return bytes
        }
        let request = HTTPClientRequest(url: source, deadlines: deadlines)
        return try await client.withResponse(request) { response in
            guard response.status == 200 else {
                throw Unavailable(description: "the answer has the status \(response.status)")
            }
            return try await response.body(limit: Files.largestFile)
        }
    }

    private static func take(_ list: PriceImport.List, _ worker: Worker, _ logger: Logger) async throws {
        let store = worker.gateway.identity.store
        guard let update = try await PriceUpdate([list], store) else { return }
        let plan = update.plan
        guard plan.faults.isEmpty else {
            throw Unavailable(description: "the list is wrong: \(plan.faults[0])")
        }
        do { try await update.write(store, by: .system) } catch is CatalogStore.Changed {
            // Another process imports it, too.
            return
        }
        try await worker.gateway.refreshCatalog()
        logger.info(
            "imported PRICING_SOURCE", ("changed", .integer(plan.changes.count)),
            ("quarantined", .integer(plan.quarantined.count)), ("unchanged", .integer(plan.unchanged.count)))
    }
}
