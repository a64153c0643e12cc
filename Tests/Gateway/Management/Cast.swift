import Base
import Billing
import Budgets
import Gateway
import Identity
import Postgres
import Testing

/// An organization with somebody in each role and one of everything that it can have. Made without passwords, so it is
/// quick; every text in it but the addresses holds its canary.
struct Cast: Sendable {
    /// Occurs in every text that only this organization's people may read.
    let canary: String
    /// Occurs in its addresses, which anybody may know.
    let handle: String
    let organization: UUID
    /// Somebody in each role.
    let actors: [Role: Actor]
    /// One who only is acted upon: a viewer.
    let bystander: UUID
    let invitation: UUID
    let credential: UUID
    let subscription: UUID
    /// The subscription's first.
    let invoice: UUID
    let budget: UUID

    struct Actor: Sendable {
        let user: UUID
        let session: UUID
        /// For `Authorization: Bearer`.
        let token: String
        let key: UUID
        /// A key with every scope.
        let keyText: String
    }

    static func make(in world: ManagementWorld, sessionCount: Int = 1) async throws -> Cast {
        let canary = "canary\(Random.base62(12).lowercased())"
        let handle = "h\(Random.base62(12).lowercased())"
        let founding = try await world.store.found(
            organization: canary, owner: "owner.\(handle)@example.com",
            password: PasswordHash(stored: "none"), by: .command)
        let organization = founding.organization
        try await world.store.setName(canary, of: founding.user)
        var actors: [Role: Actor] = [:]
        for role in Role.allCases {
            let user =
                role == .owner
                ? founding.user
                : try await addMember(
                    "\(role.rawValue).\(handle)@example.com", canary, role, organization, world)
            actors[role] = try await actor(user, organization, canary, world)
        }
        let bystander = try await addMember(
            "bystander.\(handle)@example.com", canary, .viewer, organization, world)
        let invitation = try await world.store.invite(
            "guest.\(handle)@example.com", to: organization, as: .member, by: .command, as: .owner)
        let credential = try await world.store.addCredential(
            NewCredential(
                provider: "openai", name: canary, baseURL: "https://\(canary).example",
                key: Secret("sk-\(canary)")),
            of: organization, by: .command)
        let budget = try await BudgetStore(world.pool, identity: world.store).create(
            NewBudget(canary, each: .month, nanodollars: 1_000_000_000) {
                $0.webhookURL = "https://\(canary).example"
            }, of: organization, by: .command)
        let subscribed = try await world.billing.subscribe(organization, to: "starter", by: .command)
        return Cast(
            canary: canary, handle: handle, organization: organization, actors: actors, bystander: bystander,
            invitation: invitation.id, credential: credential.credential.id,
            subscription: subscribed.stored.subscription.id, invoice: try #require(subscribed.invoices.first),
            budget: budget.standing.budget.id)
    }

    private static func addMember(
        _ email: String, _ name: String, _ role: Role, _ organization: UUID, _ world: ManagementWorld
    ) async throws -> UUID {
        let user = UUID.make()
        try await world.owner.execute(
            "INSERT INTO users (id, email, name, email_verified_at) VALUES (\(user), \(email), \(name), now())"
        )
        try await world.owner.execute(
            """
            INSERT INTO memberships (org_id, user_id, role)
            VALUES (\(organization), \(user), \(role.rawValue))
            """)
        return user
    }

    private static func actor(
        _ user: UUID, _ organization: UUID, _ canary: String, _ world: ManagementWorld
    ) async throws -> Actor {
        let (session, token) = try await signIn(user, organization, world)
        let key = try await world.store.makeKey(
            NewKey(name: "key.\(canary)", scopes: ["inference", "read", "admin"]), for: user,
            of: organization, by: .command)
        return Actor(
            user: user, session: session, token: token, key: key.stored.id,
            keyText: key.key.secret.reveal())
    }

    /// A session without a password.
    static func signIn(
        _ user: UUID, _ organization: UUID, _ world: ManagementWorld
    ) async throws -> (session: UUID, token: String) {
        let grant = try await world.store.beginSession(
            of: user, in: organization, from: IdentityStore.SessionOrigin(.tokens))
        let token = world.signingKeys.sign(
            AccessToken(
                user: user, organization: organization, session: grant.session, issuedAt: .now(),
                expiresAt: .now() + .seconds(900)))
        return (grant.session, token)
    }

    func actor(_ role: Role) -> Actor {
        guard let actor = actors[role] else { preconditionFailure("there is one of each") }
        return actor
    }

    /// What an identifier in a path is to name, as `role` would name it.
    func object(_ kind: ObjectKind, of role: Role) -> UUID {
        switch kind {
        case .organization, .anyOrganization: organization
        case .member, .user: bystander
        case .apiKey: actor(role).key
        case .session: actor(role).session
        case .invitation: invitation
        case .credential, .platformCredential: credential
        case .subscription: subscription
        case .invoice, .anyInvoice: invoice
        case .budget: budget
        // Without Stripe there is none.
        case .anyPayment: .make()
        }
    }

    /// Everything of the organization that a request could change, in one number.
    func fingerprint(_ world: ManagementWorld) async throws -> String {
        let tables = [
            "organizations WHERE id", "memberships WHERE org_id", "invitations WHERE org_id",
            "provider_credentials WHERE org_id", "audit_entries WHERE org_id", "sso_connections WHERE org_id",
            "subscriptions WHERE org_id", "invoices WHERE org_id", "ledger_transfers WHERE org_id",
            "budgets WHERE org_id", "money_limits WHERE org_id",
        ]
        var parts: [SQL] = tables.map { table in
            """
            (SELECT coalesce(string_agg(t::text, ';' ORDER BY t::text), '')
             FROM (SELECT * FROM \(unsafeSQL: table) = \(organization)) t)
            """
        }
        parts.append(
            """
            (SELECT coalesce(string_agg((to_jsonb(t) - 'last_used_at')::text, ';' ORDER BY id), '')
             FROM api_keys t WHERE org_id = \(organization))
            """)
        parts.append(
            """
            (SELECT coalesce(string_agg((to_jsonb(t) - 'last_used_at')::text, ';' ORDER BY id), '')
             FROM sessions t WHERE org_id = \(organization))
            """)
        parts.append(
            """
            (SELECT coalesce(string_agg(t::text, ';' ORDER BY id), '') FROM users t
             WHERE id IN (SELECT user_id FROM memberships WHERE org_id = \(organization)))
            """)
        return try await world.owner.query("SELECT md5(\(SQL.joined(parts, by: " || ")))")[0]
            .decode(String.self)
    }
}
