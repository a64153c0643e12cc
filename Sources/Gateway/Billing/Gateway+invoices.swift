import Base
import Billing
import HTTPWire
import Identity
import JSON

/// The handlers of `InvoiceEndpoints`.
extension Gateway {
    func listInvoices(_ call: APICall) async throws -> Reply {
        let limit = call.query.integer("limit")
        let invoices = try await requireBilling().store.invoices(
            of: call.principal.organization, before: call.query.optionalID("before"), limit: limit)
        return .json { json in
            json.list(invoices, hasMore: invoices.count == limit) { json, one in json.fields(of: one) }
        }
    }

    func showUpcomingInvoice(_ call: APICall) async throws -> Reply {
        let upcoming = try await requireBilling().store.upcomingInvoice(of: call.principal.organization)
        return .json { json in
            json.field("at", upcoming.at?.description)
            json.lines(upcoming.lines)
            json.amount("total", cents: upcoming.totalCents)
        }
    }

    func showInvoice(_ call: APICall) async throws -> Reply {
        let invoice = try await invoice(call).invoice
        return .json { json in json.fields(of: invoice) }
    }

    func printInvoice(_ call: APICall, asPDF: Bool) async throws -> Reply {
        let (billing, invoice) = try await invoice(call)
        let printed = PrintedInvoice(invoice, from: billing.seller)
        if !asPDF {
            // Nothing in it is to be run or fetched, whatever somebody is called.
            return Reply(
                200,
                [
                    "Content-Type": "text/html; charset=utf-8",
                    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
                ], body: Array(printed.html.utf8))
        }
        let name = invoice.number.map { "invoice-\($0).pdf" } ?? "draft.pdf"
        var fields: HTTPFields = ["Content-Type": "application/pdf"]
        fields.append("Content-Disposition", "attachment; filename=\"\(name)\"")
        return Reply(200, fields, body: printed.pdf)
    }

    private func invoice(_ call: APICall) async throws -> (billing: BillingServices, invoice: Invoice) {
        let billing = try requireBilling()
        return (
            billing,
            try await billing.store.invoice(call.id("invoice_id"), of: call.principal.organization)
        )
    }

    // MARK: For the operator

    func payInvoice(_ call: APICall) async throws -> Reply {
        try await pay(call) { $0.restCents }
    }

    func recordPayment(_ call: APICall) async throws -> Reply {
        let cents = try call.fields.nanodollars("amount", inCents: true) / USCents.nanodollars
        return try await pay(call) { _ in cents }
    }

    func voidInvoice(_ call: APICall) async throws -> Reply {
        let billing = try requireBilling()
        let invoice = try await billing.store.invoice(ofAny: call.id("invoice_id"))
        return await answer(
            try await billing.store.void(invoice.id, of: invoice.organization, by: call.actor))
    }

    private func pay(_ call: APICall, _ cents: (Invoice) -> Int64) async throws -> Reply {
        let billing = try requireBilling()
        let invoice = try await billing.store.invoice(ofAny: call.id("invoice_id"))
        let payment = BillingStore.Payment(
            cents: cents(invoice), method: call.fields.string("method"),
            reference: call.fields.string("reference"),
            paidAt: call.fields.optionalTimestamp("paid_at") ?? call.now)
        if payment.cents == 0 { throw Problem.nothingLeftToPay }
        return await answer(
            try await billing.store.record(
                payment, for: invoice.id, of: invoice.organization, by: call.actor))
    }

    private func answer(_ change: BillingStore.InvoiceChange) async -> Reply {
        if let keyChange = change.keyChange { await identity.announce(keyChange) }
        return .json { json in json.fields(of: change.invoice) }
    }
}

extension Problem {
    fileprivate static let nothingLeftToPay = Problem(
        .conflict, code: "invoice_state_conflict", "Nothing is left to pay of this invoice.")
}
