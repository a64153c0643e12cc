import Base
import Billing
import HTTPWire
import Identity
import JSON

/// What an operator agrees upon with an organization: a price of its own, and invoices by hand.
enum AgreementEndpoints {
    private static let base = "/api/v1/admin/organizations/{organization_id}"
    private static let id = OperatorEndpoints.organizationID

    static let all = [
        Endpoint(
            .post, "\(base)/subscription", "subscribeOrganization", group: "Operator",
            "Begins a subscription of an organization, at a price that was agreed upon.",
            description:
                "This is how plans by agreement (`custom`) are had. Payments of it are taken by hand, also where others pay by card.",
            access: .operatorOnly, parameters: [id],
            body: .object(
                [
                    Field("plan", .planName, "The name of the plan."),
                    .optional(
                        "price_cents", Schema.priceCents, "For one interval; left out: what the plan says."),
                    Field(
                        "prepaid", .boolean, isRequired: false, default: "false",
                        "Whether the plan begins when the first invoice is paid."),
                ], example: #"{"plan":"enterprise","price_cents":150000}"#),
            answers: [
                AnswerDescription(201, "It has begun.", .subscription),
                AnswerDescription(409, "It has one already, or owes something."),
            ], takesIdempotencyKey: true
        ) { gateway, call in try await gateway.subscribeOrganization(call) },
        Endpoint(
            .post, "\(base)/invoices", "invoiceOrganization", group: "Operator",
            "Sends an organization an invoice by hand, due in 14 days.", access: .operatorOnly,
            parameters: [id],
            body: .object(
                [
                    Field(
                        "lines",
                        .array(
                            of: .object([
                                Field("text", .line(1...500), "As it is printed."),
                                Field(
                                    "cents",
                                    .integer(-Int(SubscribedPlan.mostCents)...Int(SubscribedPlan.mostCents)),
                                    "In US cents; below nothing: for the customer."),
                            ]), 1...BillingStore.mostLines), "What for.")
                ], example: #"{"lines":[{"text":"Setting it up","cents":25000}]}"#),
            answers: [AnswerDescription(201, "It is open.", .invoice)], takesIdempotencyKey: true
        ) { gateway, call in try await gateway.invoiceOrganization(call) },
    ]
}

/// The handlers.
extension Gateway {
    func subscribeOrganization(_ call: APICall) async throws -> Reply {
        let change = try await requireBilling().store.subscribe(
            call.id("organization_id"), to: call.fields.string("plan"),
            call.fields.bool("prepaid") ? .prepaid : nil,
            agreedCents: call.fields.optionalInteger("price_cents").map { Int64($0) }, by: call.actor)
        if let keyChange = change.keyChange { await identity.announce(keyChange) }
        return .json(201) { json in json.fields(of: change.stored, at: call.now) }
    }

    func invoiceOrganization(_ call: APICall) async throws -> Reply {
        let store = try requireBilling().store
        let organization = call.id("organization_id")
        var lines: [InvoiceLine] = []
        if let sent = call.fields.value("lines") {
            for line in sent.elements {
                lines.append(
                    InvoiceLine(
                        .subscription, line["text"]?.string ?? "", cents: Int64(line["cents"]?.int ?? 0)))
            }
        }
        let draft = try await store.draft(lines, for: organization)
        let invoice = try await store.open(draft.id, of: organization, by: call.actor)
        return .json(201) { json in json.fields(of: invoice) }
    }
}
