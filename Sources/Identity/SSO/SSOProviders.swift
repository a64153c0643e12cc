package import Base
package import HTTPClient

/// What is known of identity providers on one loop: their descriptions and keys, asked for when they are needed.
// Confined to its loop.
package final class SSOProviders: @unchecked Sendable {
    /// For so long what a provider says of itself is believed.
    private static let lifetime = Duration.seconds(600)
    private static let largestTable = 256
    private static let largestAnswer = 1024 * 1024
    private static let deadlines = HTTPClientRequest.Deadlines(
        connect: .seconds(5), firstByte: .seconds(10), betweenBytes: .seconds(10), total: .seconds(10))

    private let client: HTTPClient
    private let policy: OutboundPolicy
    private let time: TimeSource
    private var providers: [String: Remembered<SSOProvider>] = [:]
    private var keys: [String: Remembered<JSONWebKeySet>] = [:]

    private struct Remembered<Value> {
        let value: Value
        let until: Instant
    }

    /// - Parameter client: one that uses no proxy: the policy is about the addresses that it connects to.
    package init(_ client: HTTPClient, _ policy: OutboundPolicy, time: TimeSource = .live) {
        self.client = client
        self.policy = policy
        self.time = time
    }

    func provider(_ issuer: String) async throws -> SSOProvider {
        if let known = Self.known(issuer, in: providers, at: time.instant()) { return known }
        let bytes = try await ask(HTTPClientRequest(url: SSOProvider.descriptionURL(of: issuer)))
        do throws(SSOProvider.Fault) {
            let provider = try SSOProvider(parsing: bytes, issuer: issuer)
            Self.remember(provider, of: issuer, in: &providers, at: time.instant())
            return provider
        } catch {
            throw Problem.ssoUnreachable(error.description)
        }
    }

    /// The keys of a provider. They are asked for once more where none of them can have signed `signed`: it may have
    /// a new one.
    func keys(of provider: SSOProvider, for signed: JWS) async throws -> JSONWebKeySet {
        if let known = Self.known(provider.keysURL, in: keys, at: time.instant()), known.hasKey(for: signed) {
            return known
        }
        let bytes = try await ask(HTTPClientRequest(url: provider.keysURL))
        do throws(JSONWebKeySet.Fault) {
            let set = try JSONWebKeySet(parsing: bytes)
            Self.remember(set, of: provider.keysURL, in: &keys, at: time.instant())
            return set
        } catch {
            throw Problem.ssoUnreachable(error.description)
        }
    }

    /// Sends a request to a place that a provider or an organization has named. Redirects are not followed.
    func ask(_ request: HTTPClientRequest, accepting statuses: Set<Int> = [200]) async throws -> [UInt8] {
        let request = HTTPClientRequest(
            request.method, url: request.url, fields: request.fields + [("Accept", "application/json")],
            body: request.body, deadlines: Self.deadlines
        ).guarded(by: policy)
        do {
            return try await client.withResponse(request) { response in
                let body = try await response.body(limit: Self.largestAnswer)
                guard statuses.contains(response.status) else {
                    throw Problem.ssoUnreachable("\(Self.place(request.url)) answers \(response.status)")
                }
                return body
            }
        } catch let error as HTTPClientError {
            throw Self.problem(error, request.url)
        }
    }

    private static func problem(_ error: HTTPClientError, _ url: String) -> Problem {
        switch error.kind {
        case .addressRefused: .ssoAddressRefused
        case .connectTimeout, .firstByteTimeout, .betweenBytesTimeout, .totalTimeout:
            Problem(
                .gatewayTimeout, code: "sso_provider_timeout",
                "The organization's identity provider did not answer in time. Try again.",
                detail: "\(place(url)): \(error.debugDescription)")
        default: .ssoUnreachable("\(place(url)): \(error.debugDescription)")
        }
    }

    /// Without a query, in which there could be anything.
    private static func place(_ url: String) -> String {
        url.split(separator: "?").first.map(String.init) ?? ""
    }

    private static func known<Value>(
        _ name: String, in table: [String: Remembered<Value>], at now: Instant
    ) -> Value? {
        table[name].flatMap { $0.until > now ? $0.value : nil }
    }

    private static func remember<Value>(
        _ value: Value, of name: String, in table: inout [String: Remembered<Value>], at now: Instant
    ) {
        if table.count >= largestTable {
            table = table.filter { $0.value.until > now }
            if table.count >= largestTable { table.removeAll() }
        }
        table[name] = Remembered(value: value, until: now + lifetime)
    }
}
