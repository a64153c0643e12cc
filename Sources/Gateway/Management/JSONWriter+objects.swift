import Admission
import Base
import Identity
import JSON
import Postgres

/// What the management routes answer with, as `Schema` describes it.
extension JSONWriter {
    mutating func fields(of account: Account) {
        field("id", account.id.description)
        field("email", account.email)
        field("name", account.name)
        field("email_verified", account.isVerified)
        field("second_factor", account.hasTOTP)
        field("operator", account.isOperator)
        field("disabled", account.isDisabled)
        field("created_at", account.createdAt.description)
    }

    mutating func fields(of organization: Organization) {
        field("id", organization.id.description)
        field("name", organization.name)
        field("role", organization.role?.rawValue)
        field("created_at", organization.createdAt.description)
        field("deleted_at", organization.deletedAt?.description)
    }

    mutating func fields(of member: Member) {
        field("user_id", member.user.description)
        field("email", member.email)
        field("name", member.name)
        field("role", member.role.rawValue)
        field("joined_at", member.joinedAt.description)
    }

    mutating func fields(of invitation: Invitation) {
        field("id", invitation.id.description)
        field("email", invitation.email)
        field("role", invitation.role.rawValue)
        field("created_at", invitation.createdAt.description)
        field("expires_at", invitation.expiresAt.description)
    }

    mutating func fields(of session: Session, current: UUID?) {
        field("id", session.id.description)
        field("organization_id", session.organization.description)
        field("carrier", (session.isCookie ? Session.Carrier.cookie : .tokens).rawValue)
        field("single_sign_on", session.bySSO)
        field("current", session.id == current)
        field("address", session.address)
        field("user_agent", session.userAgent)
        field("created_at", session.createdAt.description)
        field("last_used_at", session.lastUsedAt.description)
        field("expires_at", session.expiresAt.description)
    }

    mutating func fields(of key: StoredKey) {
        field("id", key.id.description)
        field("user_id", key.user.description)
        field("name", key.name)
        field("prefix", APIKey.prefix)
        field("last_four", key.lastFour)
        array("scopes", key.scopes)
        self.key("allowed_models")
        if let models = key.allowedModels {
            array { json in for model in models { json.value(model) } }
        } else {
            null()
        }
        field("limits", Limits(stored: key.limits.bytes))
        field("created_at", key.createdAt.description)
        field("expires_at", key.expiresAt?.description)
        field("last_used_at", key.lastUsedAt?.description)
        field("rotated_from", key.rotatedFrom?.description)
    }

    /// - Parameter use: of its subject; nil where none is counted, or known.
    mutating func fields(of limit: EffectiveLimits.Entry, _ use: SubjectUse?) {
        field("subject", limit.subject.kind)
        field("name", limit.subject.name)
        field("limit", limit.kind.rawValue)
        field("value", limit.value)
        field("source", limit.source.rawValue)
        guard let use else { return }
        let used = use.used(limit.kind)
        field("used", used)
        field("remaining", max(0, limit.value - used))
        field(
            "resets_in_seconds",
            use.reset(limit.kind).map { Int(($0.nanoseconds + 999_999_999) / 1_000_000_000) })
    }

    mutating func fields(of credential: ProviderCredential) {
        field("id", credential.id.description)
        field("provider", credential.provider)
        field("name", credential.name)
        field("base_url", credential.baseURL)
        field("last_four", credential.lastFour)
        field("disabled", credential.isDisabled)
        field("created_at", credential.createdAt.description)
        field("updated_at", credential.updatedAt.description)
    }

    mutating func fields(of provider: StoredProvider) {
        field("name", provider.name)
        field("title", provider.title)
        field("dialect", provider.dialect)
        field("base_url", provider.baseURL)
        field("created_at", provider.createdAt.description)
    }

    mutating func fields(of connection: SSOConnection) {
        field("id", connection.id.description)
        field("issuer", connection.issuer)
        field("client_id", connection.clientID)
        field("default_role", connection.defaultRole.rawValue)
        field("enforced", connection.isEnforced)
        field("created_at", connection.createdAt.description)
        field("updated_at", connection.updatedAt.description)
    }

    mutating func fields(of entry: AuditEntry) {
        field("sequence", Int(entry.sequence))
        field("id", entry.id.description)
        field("at", entry.at.description)
        object("actor") { json in
            json.field("kind", entry.actor.kind.rawValue)
            json.field("user_id", entry.actor.user?.description)
            json.field("key_id", entry.actor.key?.description)
            json.field("address", entry.actor.address)
        }
        field("action", entry.action)
        object("target") { json in
            json.field("kind", entry.targetKind)
            json.field("id", entry.targetID)
        }
        field("before", raw: Array((entry.before ?? "null").utf8))
        field("after", raw: Array((entry.after ?? "null").utf8))
        field("request_id", entry.actor.requestID)
    }

    /// `{"data": […], "has_more": …}`
    mutating func list<Element>(
        _ elements: some Sequence<Element>, hasMore: Bool = false,
        _ write: (inout JSONWriter, Element) -> Void
    ) {
        array("data") { json in
            for element in elements { json.object { json in write(&json, element) } }
        }
        field("has_more", hasMore)
    }
}
