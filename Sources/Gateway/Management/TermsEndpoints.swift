import Base
import Catalog
import HTTPWire
import Identity
import JSON

/// What an operator agrees upon with an organization about its money.
enum TermsEndpoints {
    private static let path = "/api/v1/admin/organizations/{organization_id}/terms"

    private static func fields(_ isOptional: Bool) -> [Field] {
        [
            Field(
                "commission", .commission, isRequired: !isOptional, isNullable: true,
                "What is taken on top of what its requests cost, in the place of what its plan says; null: what its plan says."
            ),
            Field(
                "budgets_enforced_from", .timestamp, isRequired: !isOptional, isNullable: true,
                "Until then its budgets refuse nobody, and it is told what they would have refused; null: they refuse at once."
            ),
        ]
    }

    private static let terms = Schema.object(
        [Field("organization_id", .uuid, "The organization.")] + fields(false)
    ).named("PaymentTerms")
    private static let example = #"""
        {"organization_id":"0199d2b0-7f5e-7c11-9a3e-5b1f6f0c2a41","commission":{"basis_points":1500,"mode":"markup"},
        "budgets_enforced_from":null}
        """#

    static let all = [
        Endpoint(
            .get, path, "showPaymentTerms", group: "Operator",
            "Shows what was agreed upon with an organization about its money.", access: .operatorOnly,
            parameters: [OperatorEndpoints.organizationID],
            answers: [AnswerDescription(200, "The terms.", terms, example: example)]
        ) { gateway, call in try await gateway.showPaymentTerms(call) },
        Endpoint(
            .put, path, "setPaymentTerms", group: "Operator",
            "Sets what was agreed upon with an organization about its money.",
            description:
                "It holds from the next request on. What is left out of the body stays as it is.",
            access: .operatorOnly, parameters: [OperatorEndpoints.organizationID],
            body: .object(
                fields(true), example: #"{"commission":{"basis_points":1500,"mode":"markup"}}"#),
            answers: [AnswerDescription(200, "As they are now.", terms, example: example)]
        ) { gateway, call in try await gateway.setPaymentTerms(call) },
    ]
}

/// Its handlers.
extension Gateway {
    func showPaymentTerms(_ call: APICall) async throws -> Reply {
        let organization = call.id("organization_id")
        let terms = try await identity.store.paymentTerms(ofAny: organization)
        return .json { json in
            json.field("organization_id", organization.description)
            if let commission = terms.commission {
                json.object("commission") { json in
                    json.field("basis_points", commission.points)
                    json.field("mode", commission.mode)
                }
            } else {
                json.field("commission", nil as String?)
            }
            json.field("budgets_enforced_from", terms.budgetsEnforcedFrom?.description)
        }
    }

    func setPaymentTerms(_ call: APICall) async throws -> Reply {
        let sent = call.fields.optionalFields("commission").map {
            Commission(points: $0.integer("basis_points"), $0.choice("mode", as: Commission.Mode.self))
        }
        if let sent, sent.points > Commission.mostPoints(sent.mode) {
            throw Problem(
                .unprocessable, code: "invalid_commission",
                "Of a commission of all that is paid nothing would remain for what requests cost: at most "
                    + "\(Commission.mostPoints(sent.mode)) basis points are possible with \"\(sent.mode.rawValue)\".",
                field: "commission.basis_points")
        }
        let changesCommission = call.fields.isPresent("commission")
        let changesEnforcement = call.fields.isPresent("budgets_enforced_from")
        let enforcedFrom = call.fields.optionalTimestamp("budgets_enforced_from")
        await identity.announce(
            try await identity.store.changePaymentTerms(
                ofAny: call.id("organization_id"), by: call.actor
            ) { terms in
                if changesCommission {
                    terms.commission = sent.map { .init(points: $0.points, mode: $0.mode.rawValue) }
                }
                if changesEnforcement { terms.budgetsEnforcedFrom = enforcedFrom }
            })
        return try await showPaymentTerms(call)
    }
}
