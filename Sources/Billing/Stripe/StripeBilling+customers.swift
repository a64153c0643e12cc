package import Base
package import Identity
import Postgres
import Stripe

extension StripeBilling {
    /// A card that an organization pays with.
    package struct Method: Equatable, Sendable {
        package var id: String
        package var brand: String
        package var lastFour: String
        package var expiryMonth: Int
        package var expiryYear: Int
        package var isDefault: Bool
    }

    /// How an organization is called at Stripe. It is made there when it is needed first, and once.
    func customer(of organization: UUID) async throws -> String {
        let begun = now
        let (key, name, email, known) = try await store.system { transaction in
            try await transaction.execute(
                """
                INSERT INTO stripe_customers (org_id, key, name, email, begun_at)
                SELECT organizations.id, \(UUID.make(at: begun)), name, (
                    SELECT email FROM memberships JOIN users ON users.id = user_id
                    WHERE org_id = organizations.id AND role = 'owner' ORDER BY users.id LIMIT 1), \(begun)
                FROM organizations WHERE organizations.id = \(organization)
                ON CONFLICT DO NOTHING
                """)
            let rows = try await transaction.query(
                "SELECT key, name, email, stripe_id FROM stripe_customers WHERE org_id = \(organization)")
            guard let row = rows.first else { throw Problem.notFound("organization") }
            return try row.decode((UUID, String, String?, String?).self)
        }
        if let known { return known }
        let made = try await stripe.createCustomer(
            email: email, name: name, metadata: ["organization": organization.description],
            key: "customer-\(key)")
        try await store.system { transaction in
            try await transaction.execute(
                "UPDATE stripe_customers SET stripe_id = \(made.id) WHERE org_id = \(organization)")
        }
        return made.id
    }

    private func knownCustomer(of organization: UUID) async throws -> String? {
        try await store.pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                "SELECT stripe_id FROM stripe_customers WHERE org_id = \(organization)"
            ).first?.decode(String?.self)
        }
    }

    // MARK: Cards

    /// An organization's cards: as Stripe has them, or as we saw them last where it does not answer.
    package func methods(of organization: UUID) async throws -> [Method] {
        guard let customer = try await knownCustomer(of: organization) else { return [] }
        do {
            try await refreshMethods(of: organization, customer)
        } catch let error as StripeError {
            guard error.problem.kind == .unavailable else { throw error.problem }
        }
        return try await knownMethods(of: organization)
    }

    /// A card can be added with this: the browser gives it to Stripe, and we never see it.
    package func addMethod(of organization: UUID) async throws -> (id: String, clientSecret: Secret) {
        try await asking {
            let intent = try await stripe.createSetupIntent(
                for: try await customer(of: organization),
                metadata: ["organization": organization.description],
                // One that is lost is of no use to anybody.
                key: UUID.make(at: now).description)
            return (intent.id, intent.clientSecret ?? Secret(""))
        }
    }

    package func removeMethod(_ id: String, of organization: UUID, by actor: Actor) async throws {
        try await asking {
            let customer = try await customerWith(id, of: organization)
            _ = try await stripe.detach(id, key: "detach-\(id)")
            try await refreshMethods(of: organization, customer)
        }
        try await note("payment_method.remove", id, organization, actor)
    }

    /// What is charged from now on while nobody is there.
    package func makeDefault(_ id: String, of organization: UUID, by actor: Actor) async throws -> [Method] {
        try await asking {
            let customer = try await customerWith(id, of: organization)
            _ = try await stripe.setDefaultPaymentMethod(
                of: customer, to: id, key: UUID.make(at: now).description)
            try await refreshMethods(of: organization, customer)
        }
        try await note("payment_method.default", id, organization, actor)
        return try await knownMethods(of: organization)
    }

    private func note(_ action: String, _ id: String, _ organization: UUID, _ actor: Actor) async throws {
        try await store.system { transaction in
            try await store.identity.note(
                action, on: "payment_method", id, in: organization, by: actor, transaction)
        }
    }

    /// The customer, if the card is theirs: another's is as good as none.
    private func customerWith(_ method: String, of organization: UUID) async throws -> String {
        guard let customer = try await knownCustomer(of: organization) else {
            throw Problem.notFound("payment method")
        }
        try await refreshMethods(of: organization, customer)
        guard try await knownMethods(of: organization).contains(where: { $0.id == method }) else {
            throw Problem.notFound("payment method")
        }
        return customer
    }

    func defaultMethod(of organization: UUID) async throws -> String? {
        guard let customer = try await knownCustomer(of: organization) else { return nil }
        try await refreshMethods(of: organization, customer)
        return try await knownMethods(of: organization).first { $0.isDefault }?.id
    }

    /// Takes over the cards that Stripe has. The first is what is charged, until somebody says otherwise.
    private func refreshMethods(of organization: UUID, _ customer: String) async throws {
        let cards = try await stripe.cards(of: customer).elements.filter { $0.card != nil }
        var chosen = try await stripe.customer(customer).defaultPaymentMethod
        if chosen == nil, let first = cards.last {
            chosen =
                try await stripe.setDefaultPaymentMethod(
                    of: customer, to: first.id, key: UUID.make(at: now).description
                ).defaultPaymentMethod
        }
        let (kept, preferred) = (cards.map(\.id), chosen)
        let statements = cards.compactMap { method -> SQL? in
            guard let card = method.card else { return nil }
            return """
                INSERT INTO stripe_methods (id, org_id, brand, last_four, expiry_month, expiry_year)
                VALUES (\(method.id), \(organization), \(card.brand), \(card.lastFourDigits),
                    \(Int16(clamping: card.expiryMonth)), \(Int16(clamping: card.expiryYear)))
                ON CONFLICT (id) DO UPDATE SET (brand, last_four, expiry_month, expiry_year)
                    = (EXCLUDED.brand, EXCLUDED.last_four, EXCLUDED.expiry_month, EXCLUDED.expiry_year)
                """
        }
        try await store.system { transaction in
            try await transaction.pipeline(
                [
                    "DELETE FROM stripe_methods WHERE org_id = \(organization) AND NOT id = ANY(\(kept))",
                    "UPDATE stripe_customers SET default_method = \(preferred) WHERE org_id = \(organization)",
                ] + statements)
        }
    }

    private func knownMethods(of organization: UUID) async throws -> [Method] {
        try await store.pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT id, brand, last_four, expiry_month, expiry_year, id = default_method IS TRUE
                FROM stripe_methods JOIN stripe_customers USING (org_id)
                WHERE org_id = \(organization) ORDER BY id LIMIT \(StripePage.largest)
                """
            ).decode((String, String, String, Int16, Int16, Bool).self).map {
                Method(
                    id: $0.0, brand: $0.1, lastFour: $0.2, expiryMonth: Int($0.3), expiryYear: Int($0.4),
                    isDefault: $0.5)
            }
        }
    }
}
