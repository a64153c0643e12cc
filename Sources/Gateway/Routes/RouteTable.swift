package import HTTPServer
import HTTPWire

/// Every address of the API. The routes, the document and the tests are made from these endpoints.
package enum RouteTable {
    package static let endpoints: [Endpoint] =
        ModelEndpoints.all + GenerateEndpoints.all + CatalogEndpoints.all + PricingEndpoints.all
        + ProposalEndpoints.all
        + OverrideEndpoints.all
        + AccountEndpoints.all + SSOEndpoints.all
        + OrganizationEndpoints.all + RoutingEndpoints.all + LimitEndpoints.all + TermsEndpoints.all
        + CacheEndpoints.all
        + AnswerEndpoints.all + KeyEndpoints.all
        + CredentialEndpoints.all + AnalyticsEndpoints.all + CallEndpoints.all + LiveCallEndpoints.all
        + ReceiptEndpoints.all
        + UsageMonthEndpoints.all + AuditEndpoints.all
        + OperatorEndpoints.all + ProviderEndpoints.all
        + PlanEndpoints.all + PeriodEstimateEndpoints.all + SubscriptionEndpoints.all + InvoiceEndpoints.all
        + WalletEndpoints.all + PaymentEndpoints.all + AgreementEndpoints.all + BudgetEndpoints.all
        + OperationEndpoints.all

    /// The document of `endpoints`.
    package static let document = OpenAPIDocument(endpoints)

    package static func routes(_ gateway: @escaping Endpoint.GatewayOfLoop) -> [Route] {
        // Written now, so that no request waits for it.
        _ = document
        let routes = endpoints.map { $0.route(gateway) }
        return routes
            + aliases.flatMap { alias, prefix in routes.compactMap { $0.alias(alias, for: prefix) } }
            + otherWays.flatMap { pattern, name in
                routes.filter { $0.name == name }.map { $0.alias(at: pattern, named: name + "OtherWay") }
            }
    }

    /// Other beginnings of addresses, under which the same is answered. The document does not tell of them.
    private static let aliases: [(alias: String, prefix: String)] = ["pricing", "budget", "billing"].map {
        ("/api/\($0)/", "/api/v1/\($0)/")
    }

    /// Other whole addresses of some endpoints. The document does not tell of them either.
    private static let otherWays: [(pattern: String, name: String)] = [
        ("/api/billing/subscribe", "subscribe"), ("/api/v1/billing/billing/estimate", "estimatePeriod"),
    ]
}

extension Route {
    /// The same at another address; nil where this one begins otherwise.
    fileprivate func alias(_ alias: String, for prefix: String) -> Route? {
        guard pattern.hasPrefix(prefix) else { return nil }
        return self.alias(at: alias + pattern.dropFirst(prefix.count), named: name + "Alias")
    }

    /// - Parameter name: no two routes have one name.
    fileprivate func alias(at pattern: String, named name: String) -> Route {
        var metadata = metadata
        metadata.name = name
        return Route(method, pattern, metadata, beginning: beginning, handler)
    }
}
