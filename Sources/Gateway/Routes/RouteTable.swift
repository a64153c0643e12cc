package import HTTPServer
import HTTPWire

/// Every address of the API. The routes, the document and the tests are made from these endpoints.
package enum RouteTable {
    package static let endpoints: [Endpoint] =
        ModelEndpoints.all + GenerateEndpoints.all + CatalogEndpoints.all + AccountEndpoints.all
        + SSOEndpoints.all
        + OrganizationEndpoints.all + RoutingEndpoints.all + LimitEndpoints.all + CacheEndpoints.all
        + AnswerEndpoints.all + KeyEndpoints.all
        + CredentialEndpoints.all + AuditEndpoints.all + OperatorEndpoints.all + ProviderEndpoints.all
        + PlanEndpoints.all + SubscriptionEndpoints.all + InvoiceEndpoints.all + WalletEndpoints.all
        + OperationEndpoints.all

    /// The document of `endpoints`.
    package static let document = OpenAPIDocument(endpoints)

    package static func routes(_ gateway: @escaping Endpoint.GatewayOfLoop) -> [Route] {
        // Written now, so that no request waits for it.
        _ = document
        return endpoints.map { $0.route(gateway) }
    }
}
