package import HTTPServer
import HTTPWire

/// Every address of the API. The routes, the document and the tests are made from these endpoints.
package enum RouteTable {
    package static let endpoints: [Endpoint] =
        ModelEndpoints.all + GenerateEndpoints.all + CatalogEndpoints.all + PricingEndpoints.all
        + ProposalEndpoints.all
        + OverrideEndpoints.all
        + AccountEndpoints.all + SSOEndpoints.all
        + OrganizationEndpoints.all + RoutingEndpoints.all + LimitEndpoints.all + CacheEndpoints.all
        + AnswerEndpoints.all + KeyEndpoints.all
        + CredentialEndpoints.all + AnalyticsEndpoints.all + CallEndpoints.all + ReceiptEndpoints.all
        + UsageMonthEndpoints.all + AuditEndpoints.all
        + OperatorEndpoints.all + ProviderEndpoints.all
        + PlanEndpoints.all + SubscriptionEndpoints.all + InvoiceEndpoints.all + WalletEndpoints.all
        + PaymentEndpoints.all + AgreementEndpoints.all
        + OperationEndpoints.all

    /// The document of `endpoints`.
    package static let document = OpenAPIDocument(endpoints)

    package static func routes(_ gateway: @escaping Endpoint.GatewayOfLoop) -> [Route] {
        // Written now, so that no request waits for it.
        _ = document
        let routes = endpoints.map { $0.route(gateway) }
        return routes
            + aliases.flatMap { alias, prefix in routes.compactMap { $0.alias(alias, for: prefix) } }
    }

    /// Other beginnings of addresses, under which the same is answered. The document does not tell of them.
    private static let aliases: [(alias: String, prefix: String)] = [("/api/pricing/", "/api/v1/pricing/")]
}

extension Route {
    /// The same at another address; nil where this one begins otherwise.
    fileprivate func alias(_ alias: String, for prefix: String) -> Route? {
        guard pattern.hasPrefix(prefix) else { return nil }
        var metadata = metadata
        // No two routes have one name.
        metadata.name += "Alias"
        return Route(
            method, alias + pattern.dropFirst(prefix.count), metadata, beginning: beginning, handler)
    }
}
