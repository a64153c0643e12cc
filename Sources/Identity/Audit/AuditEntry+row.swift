import Base
import Postgres

extension AuditEntry {
    static let columns: SQL = """
        org_id, sequence, id, at, actor_kind, actor_user, actor_key, address, request_id, action, target_kind,
        target_id, before, after
        """

    init(_ row: PostgresRow) throws(PostgresError) {
        let kind = try row.decode(Actor.Kind.self, "actor_kind")
        self.init(
            organization: try row.decode(UUID.self, "org_id"),
            sequence: try row.decode(Int64.self, "sequence"),
            id: try row.decode(UUID.self, "id"), at: try row.decode(Timestamp.self, "at"),
            actor: Actor(
                kind, user: try row.decode(UUID?.self, "actor_user"),
                key: try row.decode(UUID?.self, "actor_key"),
                address: try row.decode(String?.self, "address"),
                requestID: try row.decode(String?.self, "request_id")),
            action: try row.decode(String.self, "action"),
            targetKind: try row.decode(String.self, "target_kind"),
            targetID: try row.decode(String.self, "target_id"),
            before: try row.decode(String?.self, "before"), after: try row.decode(String?.self, "after"))
    }
}

extension Actor.Kind: PostgresCodable {}
