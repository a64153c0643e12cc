import HTTPWire
import Identity

/// Where an organization's requests may go.
enum RoutingEndpoints {
    private static let path = "/api/v1/organizations/{organization_id}/routing"
    private static let names = Schema.array(of: .line(1...64), 0...64, isUnique: true)
    private static let price = Schema.number(0...1_000_000)

    /// The words of `provider` in requests.
    private static let fields: [Field] = [
        .optional("order", names, "Providers in the order in which they are asked; others come behind them."),
        .optional("only", names, "No providers but these."),
        .optional("ignore", names, "Never these."),
        .optional("regions", names, "Only models that are known to be served in one of these."),
        .optional("allow_fallbacks", .boolean, "Whether others than the first are asked at all."),
        .optional("sort", .choice(of: RoutePolicy.Sort.self), "Whom to prefer among the rest."),
        .optional(
            "data_collection", .choice(["allow", "deny"]),
            "`deny`: only providers that are known not to keep what is said to them."),
        .optional(
            "max_price",
            .object([
                .optional("prompt", price, "For what is read."),
                .optional("completion", price, "For what is answered."),
            ]),
            "In dollars for a million tokens. What has no known price is left out."),
        .optional(
            "use_instance_keys", .boolean,
            "Whether a provider that the organization has keys for is asked with the instance's too, when its own fail. "
                + "Else its requests to that provider are never on somebody else's account."),
    ]
    private static let policy = Schema.object(fields).named("RoutingPolicy")

    static let all = [
        Endpoint(
            .get, path, "showRouting", group: "Organizations", "Shows where requests may go.",
            access: .member(.readOrganization), parameters: [OrganizationEndpoints.parameter],
            answers: [AnswerDescription(200, "The policy; empty where there is none.", policy)]
        ) { gateway, call in try await gateway.showRouting(call) },
        Endpoint(
            .put, path, "setRouting", group: "Organizations",
            "Says where requests may go. What is left out is not restricted.",
            description:
                "It holds from the next request on. A request's own `provider` can narrow it and cannot widen it.",
            access: .member(.updateOrganization), parameters: [OrganizationEndpoints.parameter],
            body: .object(
                fields,
                example: #"{"order":["anthropic","bedrock"],"data_collection":"deny","sort":"price"}"#),
            answers: [AnswerDescription(200, "As it is now.", policy)]
        ) { gateway, call in try await gateway.setRouting(call) },
    ]
}
