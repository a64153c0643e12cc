import Base
import Chat
import HTTPClient
import HTTPWire

/// Fetches the images of one request from where its client says that they are.
///
/// A client names the addresses, so that none is spoken to but those of the internet and what the operator names; and a
/// client learns nothing of what is there unless it is an image, which only the model sees.
struct ImageFetch: Sendable {
    private let clients: OutboundClients
    private let limits: ImageFetchLimits
    private let time: TimeSource
    private let allowance: Allowance

    /// What is left of the bytes for all images.
    // Confined to its loop.
    private final class Allowance: @unchecked Sendable {
        var left: Int
        init(_ left: Int) { self.left = left }
    }

    private enum Found {
        case image([UInt8])
        case elsewhere(String)
    }

    init(by clients: OutboundClients, _ limits: ImageFetchLimits, _ time: TimeSource) {
        self.clients = clients
        self.limits = limits
        self.time = time
        allowance = Allowance(limits.largestTotal)
    }

    /// `request` with its images in it; nil where it has none elsewhere.
    func inlining(_ request: ChatRequest) async throws -> ChatRequest? {
        let places = request.imagesElsewhere
        if places.isEmpty { return nil }
        if places.count > limits.count {
            throw Self.tooLarge(
                places[limits.count].field, "at most \(limits.count) images are fetched for one request")
        }
        let images = try await fetch(places)
        var request = request
        for (place, image) in zip(places, images) { request.put(image.base64, image.signature, at: place) }
        return request
    }

    private typealias Image = (base64: String, signature: ImageSignature)

    /// Some at a time. With the first that fails all do.
    private func fetch(_ places: [ImagePlace]) async throws -> [Image] {
        try await withThrowingTaskGroup(of: (Int, Image).self) { group in
            var images = [Image?](repeating: nil, count: places.count)
            var begun = 0
            func begin() {
                guard begun < places.count else { return }
                let index = begun
                let place = places[index]
                group.addTask { (index, try await self.fetch(place)) }
                begun += 1
            }
            for _ in 0..<limits.atOnce { begin() }
            while let (index, image) = try await group.next() {
                images[index] = image
                begin()
            }
            return images.compactMap { $0 }
        }
    }

    // MARK: One image

    private func fetch(_ place: ImagePlace) async throws -> Image {
        let end = time.instant() + limits.time
        var url = place.url
        for _ in 0...limits.redirects {
            guard let address = Self.address(url) else {
                throw Self.unreachable(
                    place, "its address must be an http or https URL without a user, percent-encoded")
            }
            switch try await ask(address, place, until: end) {
            case .elsewhere(let location): url = Self.resolve(location, at: address)
            case .image(let bytes):
                guard let signature = ImageSignature(bytes) else {
                    throw Problem(
                        .invalidRequest, code: "image_unsupported",
                        "\(place.field): what is there is no PNG, JPEG, GIF or WebP.", field: place.field)
                }
                return (Base64.encode(bytes), signature)
            }
        }
        throw Self.unreachable(place, "it leads elsewhere more than \(limits.redirects) times")
    }

    private func ask(_ address: URLAddress, _ place: ImagePlace, until end: Instant) async throws -> Found {
        let left = end - time.instant()
        guard left > .zero else { throw Self.unreachable(place, "it did not come in time") }
        let request = HTTPClientRequest(
            url: address.description,
            fields: [
                ("Accept", "image/png, image/jpeg, image/webp, image/gif"), ("User-Agent", "Hivegate"),
            ],
            deadlines: .init(connect: left, firstByte: left, betweenBytes: left, total: left))
        do {
            return try await clients.withGuardedResponse(request) { response in
                switch response.status {
                case 200: return .image(try await read(response, place))
                case 301, 302, 303, 307, 308:
                    guard let location = response["location"] else { fallthrough }
                    return .elsewhere(location)
                default:
                    throw Self.unreachable(place, "the answer has the status \(response.status)")
                }
            }
        } catch let error as HTTPClientError {
            throw Self.problem(error, place)
        }
    }

    private func read(_ response: HTTPClientResponse, _ place: ImagePlace) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try await response.next() {
            guard bytes.count + piece.count <= limits.largestImage else {
                throw Self.tooLarge(place.field, "an image may have \(limits.largestImage) bytes")
            }
            allowance.left -= piece.count
            guard allowance.left >= 0 else {
                throw Self.tooLarge(
                    place.field, "the images of one request may have \(limits.largestTotal) bytes together")
            }
            bytes += piece
        }
        return bytes
    }

    // MARK: Addresses

    /// nil where it is none that is fetched from.
    private static func address(_ url: String) -> URLAddress? {
        // What is behind it is the client's own business.
        let sent = url.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        guard let address = try? URLAddress(String(sent)), address.userinfo == nil,
            address.scheme == "https" || address.scheme == "http"
        else { return nil }
        return address
    }

    /// Where `location` leads, as said at `base`.
    static func resolve(_ location: String, at base: URLAddress) -> String {
        let host = "\(base.scheme)://\(base.authority)"
        if address(location) != nil { return location }
        if location.hasPrefix("//") { return "\(base.scheme):\(location)" }
        if location.hasPrefix("/") { return host + location }
        if location.hasPrefix("?") { return host + base.path + location }
        // It has a scheme, and is none that is fetched from.
        if location.contains("://") { return location }
        let folder = base.path.lastIndex(of: "/").map { base.path[...$0] } ?? "/"
        return host + folder + location
    }

    // MARK: What goes wrong

    /// Whether a name is not known or an address not allowed, a client is told the same: what is in the operator's network
    /// is none of its business.
    private static func problem(_ error: HTTPClientError, _ place: ImagePlace) -> any Error {
        switch error.kind {
        case .cancelled, .tooManyTransfers: error
        case .connectTimeout, .firstByteTimeout, .betweenBytesTimeout, .totalTimeout:
            unreachable(place, "it did not come in time", detail: error.debugDescription)
        default:
            unreachable(
                place, "nobody there can be asked by https", detail: error.debugDescription)
        }
    }

    private static func unreachable(_ place: ImagePlace, _ reason: String, detail: String? = nil) -> Problem {
        Problem(
            .invalidRequest, code: "image_unreachable",
            "\(place.field): the image cannot be fetched: \(reason). Mend its address, or send it as data.",
            field: place.field, detail: detail)
    }

    private static func tooLarge(_ field: String, _ reason: String) -> Problem {
        Problem(
            .invalidRequest, code: "image_too_large",
            "\(field): \(reason). Send smaller images, or fewer, or have the provider fetch them.",
            field: field)
    }
}
