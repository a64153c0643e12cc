import Base
import HTTPWire
import Identity

/// The audit trail: an organization's, and the instance's own.
enum AuditEndpoints {
    static let all = [
        endpoint("/api/v1/audit", "listAuditEntries", "Audit", .member(.readAudit), of: "the organization") {
            $0.principal.organization
        },
        endpoint(
            "/api/v1/admin/audit", "listPlatformAuditEntries", "Operator", .operatorOnly, of: "the instance"
        ) { _ in
            AuditEntry.instance
        },
    ]

    private static func endpoint(
        _ path: String, _ name: String, _ group: String, _ access: Access, of what: String,
        chain: @escaping @Sendable (APICall) -> UUID
    ) -> Endpoint {
        Endpoint(
            .get, path, name, group: group,
            "What was done to \(what), by whom and from where; the newest first.",
            description:
                "For the next page, give the last `sequence` as `before`. `format=csv` is for spreadsheets.",
            access: access,
            query: [
                QueryParameter("action", .line(1...100), "Only this, such as key.revoke."),
                QueryParameter("actor", .uuid, "Only by this person."),
                QueryParameter("target", .line(1...200), "Only to this object."),
                QueryParameter("since", .timestamp, "Not before."),
                QueryParameter("until", .timestamp, "Before."),
                QueryParameter("before", .integer(1...Int.max), "Only entries before this one."),
                QueryParameter(
                    "limit", .integer(1...IdentityStore.largestAuditPage), default: "100", "How many at most."
                ),
                QueryParameter(
                    "format", .choice(["json", "csv"]), default: #""json""#, "How they are written."),
            ],
            answers: [
                AnswerDescription(200, "The entries.", .list(of: .auditEntry)),
                AnswerDescription(200, "The entries, as a table.", mediaType: "text/csv"),
            ]
        ) { gateway, call in try await gateway.listAuditEntries(call, of: chain(call)) }
    }
}
