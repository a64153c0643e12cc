package import Base
package import Identity
import JSON
import Postgres
import Stripe

extension StripeBilling {
    /// A payment that was begun, and with what the browser finishes it on Stripe's side.
    package struct Begun: Sendable {
        package var payment: StripePayment
        /// nil: nothing is left for the browser to do.
        package var clientSecret: Secret?
    }

    /// Less is not worth a charge.
    package static let leastCents: Int64 = 100
    /// A payment that nobody finishes is called off after so long.
    static let patience = Duration.seconds(24 * 3600)

    // MARK: What is asked for

    /// Fills the wallet. It has more once Stripe says that it was paid.
    ///
    /// - Parameter method: a card to charge now; nil: the browser confirms the payment.
    package func topUp(
        _ organization: UUID, cents: Int64, with method: String? = nil, by actor: Actor
    ) async throws -> Begun {
        try await asking {
            var payment = StripePayment(.topUp, of: organization, cents: cents, at: now)
            payment.method = method
            return try await begin(payment, by: actor)
        }
    }

    /// Pays an invoice: what is left of it.
    package func pay(
        _ invoice: UUID, of organization: UUID, with method: String? = nil, by actor: Actor
    ) async throws -> Begun {
        let invoice = try await store.invoice(invoice, of: organization)
        guard invoice.status == .open || invoice.status == .uncollectible, invoice.restCents > 0 else {
            throw Problem.invoiceIs(invoice.status)
        }
        return try await asking {
            if let begun = try await collect(invoice) { return begun }
            var payment = StripePayment(
                .invoice, of: organization, invoice: invoice.id, cents: invoice.restCents, at: now)
            payment.method = method
            return try await begin(payment, by: actor)
        }
    }

    /// Of an organization, the latest first.
    package func payments(of organization: UUID, limit: Int) async throws -> [StripePayment] {
        try await store.pool.transaction(tenant: organization, readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT \(StripePayment.columns) FROM stripe_payments WHERE org_id = \(organization)
                ORDER BY id DESC LIMIT \(limit)
                """
            ).decode { row throws(PostgresError) in try StripePayment(row) }
        }
    }

    private func begin(_ payment: StripePayment, by actor: Actor) async throws -> Begun {
        guard (Self.leastCents...SubscribedPlan.mostCents).contains(payment.cents) || payment.kind == .invoice
        else { throw Problem.amountOutOfRange }
        if let method = payment.method,
            !(try await methods(of: payment.organization).contains { $0.id == method })
        {
            throw Problem.notFound("payment method")
        }
        try await write(payment, by: actor)
        var intent = try await request(payment)
        if let method = payment.method, intent.status != .succeeded {
            do {
                intent = try await stripe.confirmPaymentIntent(
                    intent.id, with: method, key: "confirm-\(payment.id)")
            } catch {
                if error.kind == .card { counters.count(.failed) }
                // What has become of it is asked for, again and again; whoever repeats this would pay twice.
                guard error.isOutcomeUnknown else { throw error }
                return Begun(payment: try await self.payment(payment.id))
            }
        }
        _ = try await settle(intent)
        let isOpen = intent.status != .succeeded && intent.status != .processing
        return Begun(
            payment: try await self.payment(payment.id), clientSecret: isOpen ? intent.clientSecret : nil)
    }

    /// Before Stripe is asked.
    func write(_ payment: StripePayment, by actor: Actor) async throws {
        var detail = JSONWriter()
        detail.object { json in
            json.field("kind", payment.kind.rawValue)
            json.field("cents", Int(payment.cents))
        }
        let told = detail.bytes
        try await store.system { transaction in
            try await transaction.execute(payment.insertion)
            try await store.identity.note(
                "payment.begin", on: "payment", payment.id, after: told, in: payment.organization, by: actor,
                transaction)
        }
    }

    /// The intent of a payment: made, or as it was made before. The automatic ones are charged with that.
    func request(_ payment: StripePayment) async throws -> StripePaymentIntent {
        let intent = try await stripe.createPaymentIntent(
            StripeAmount(cents: payment.cents), of: try await customer(of: payment.organization),
            with: payment.isAutomatic ? payment.method : nil, isOffSession: payment.isAutomatic,
            metadata: [
                "organization": payment.organization.description, "payment": payment.id.description,
            ], key: payment.id.description)
        try await store.system { transaction in
            try await transaction.execute(
                """
                UPDATE stripe_payments SET stripe_id = \(intent.id) WHERE id = \(payment.id) AND stripe_id IS NULL
                """)
        }
        return intent
    }

    func payment(_ id: UUID) async throws -> StripePayment {
        try await store.system(readOnly: true) { transaction in
            let rows = try await transaction.query(
                "SELECT \(StripePayment.columns) FROM stripe_payments WHERE id = \(id)")
            guard let row = rows.first else { throw Problem.notFound("payment") }
            return try StripePayment(row)
        }
    }

    // MARK: What has become of it

    /// Takes what Stripe says of a payment. What was paid is credited once, however often it is said.
    func settle(_ intent: StripePaymentIntent) async throws -> StripeCounters.EventOutcome {
        guard var payment = try await self.payment(of: intent) else {
            // Of an invoice of Stripe's own.
            guard let invoice = intent.invoice else { return .foreign }
            return try await mirror(invoice)
        }
        if payment.status.isEnd { return .applied }
        payment.status = StripePayment.Status(intent.status)
        payment.failure = intent.failureCode
        if payment.isAutomatic, payment.status == .requiresPaymentMethod { payment.status = .failed }
        if payment.status == .succeeded { try await credit(payment, intent) }
        try await end(payment, intent.id)
        return .applied
    }

    private func payment(of intent: StripePaymentIntent) async throws -> StripePayment? {
        let named = intent.metadata["payment"].flatMap { UUID($0) }
        return try await store.system(readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT \(StripePayment.columns) FROM stripe_payments
                WHERE stripe_id = \(intent.id) OR id = \(named) AND stripe_id IS NULL LIMIT 1
                """
            ).first.map { row throws(PostgresError) in try StripePayment(row) }
        }
    }

    /// Writes down how a payment stands. Of two who do only the first ends it.
    func end(_ payment: StripePayment, _ stripeID: String?) async throws {
        let ended: Timestamp? = payment.status.isEnd ? now : nil
        let count = try await store.system { transaction in
            try await transaction.execute(
                """
                UPDATE stripe_payments SET stripe_id = coalesce(stripe_id, \(stripeID)), status = \(payment.status.rawValue),
                    failure = \(payment.failure.map { String($0.prefix(200)) }), ended_at = \(ended)
                WHERE id = \(payment.id) AND ended_at IS NULL
                """)
        }
        if count == 1, let outcome = StripeCounters.PaymentOutcome(rawValue: payment.status.rawValue) {
            counters.count(outcome)
        }
    }

    /// Books money that has come in, once. Where the invoice wants it no more it is the wallet's.
    private func credit(_ payment: StripePayment, _ intent: StripePaymentIntent) async throws {
        if let invoice = payment.invoice {
            let record = BillingStore.Payment(
                cents: intent.received.cents, method: "stripe", reference: intent.id, paidAt: now)
            do {
                let change = try await store.record(
                    record, for: invoice, of: payment.organization, by: .system)
                return await announce(change.keyChange)
            } catch let problem as Problem {
                switch problem.code {
                case Problem.paymentKnown.code: return
                case "invoice_state_conflict", "payment_exceeds_invoice":
                    if try await isRecorded(intent.id, of: payment.organization) { return }
                default: throw problem
                }
            }
        }
        do {
            let change = try await wallets.topUp(
                payment.organization, by: intent.received.cents * USCents.nanodollars, reference: intent.id,
                by: .system)
            await announce(change.keyChange)
        } catch let problem as Problem {
            guard problem.code == "booked_already" else { throw problem }
        }
    }

    private func isRecorded(_ reference: String, of organization: UUID) async throws -> Bool {
        try await store.system(readOnly: true) { transaction in
            try await transaction.query(
                """
                SELECT EXISTS (SELECT FROM invoice_payments
                    WHERE org_id = \(organization) AND method = 'stripe' AND reference = \(reference))
                """)[0].decode(Bool.self)
        }
    }
}

extension StripePayment.Status {
    init(_ status: StripePaymentIntent.Status) {
        switch status {
        case .requiresPaymentMethod: self = .requiresPaymentMethod
        case .requiresConfirmation: self = .requiresConfirmation
        case .requiresAction: self = .requiresAction
        case .requiresCapture: self = .requiresCapture
        case .processing: self = .processing
        case .canceled: self = .canceled
        case .succeeded: self = .succeeded
        }
    }
}

extension Problem {
    static let amountOutOfRange = Problem(
        faults: [Problem.Fault("amount.usd", "must be between 1.00 and 100000000.00")], code: "invalid_amount"
    )
}
