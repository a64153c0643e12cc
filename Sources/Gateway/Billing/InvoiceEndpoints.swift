import HTTPWire
import Identity

/// What organizations are asked to pay, and what they have paid.
enum InvoiceEndpoints {
    private static let id = PathParameter("invoice_id", .object(.invoice), "The invoice.")
    private static let anyID = PathParameter(
        "invoice_id", .object(.anyInvoice), "Any organization's invoice.")
    private static let base = "/api/v1/billing/invoices"
    private static let conflict = AnswerDescription(
        409, "As it stands that cannot be done with it, or it was done before.")
    private static let shown = [AnswerDescription(200, "As it is now.", .invoice), conflict]
    private static let payment = [
        Field("method", .line(1...50), "How it came: `bank_transfer`."),
        Field("reference", .line(1...200), "What names the payment there. No two of a method have the same."),
        .optional("paid_at", .timestamp, "When it came in. Left out: now."),
    ]

    private static let upcoming = Schema.object([
        Field(
            "at", .timestamp, isNullable: true,
            "When it would be sent; null: there is no subscription that asks."),
        Field("lines", .array(of: .invoiceLine, 0...100), "What for, as things stand."),
        Field("total", .billedAmount, "What it would come to, were nothing more used until then."),
    ]).named("UpcomingInvoice")

    static let all = [
        Endpoint(
            .get, base, "listInvoices", group: "Billing",
            "Lists the organization's invoices, the latest first.",
            access: .member(.readBilling),
            query: [
                QueryParameter("before", .uuid, "Only those before this one."),
                QueryParameter("limit", .integer(1...100), default: "20", "How many at most."),
            ], answers: [AnswerDescription(200, "The invoices.", .list(of: .invoice))]
        ) { gateway, call in try await gateway.listInvoices(call) },
        Endpoint(
            .get, "\(base)/upcoming", "showUpcomingInvoice", group: "Billing",
            "Says what the next invoice will ask for.", access: .member(.readBilling),
            answers: [AnswerDescription(200, "As things stand.", upcoming)]
        ) { gateway, call in try await gateway.showUpcomingInvoice(call) },
        Endpoint(
            .get, "\(base)/{invoice_id}", "showInvoice", group: "Billing", "Shows an invoice.",
            access: .member(.readBilling), parameters: [id],
            answers: [AnswerDescription(200, "The invoice.", .invoice)]
        ) { gateway, call in try await gateway.showInvoice(call) },
        Endpoint(
            .get, "\(base)/{invoice_id}/pdf", "printInvoice", group: "Billing", "Prints an invoice as PDF.",
            access: .member(.readBilling), parameters: [id],
            answers: [AnswerDescription(200, "The file.", mediaType: "application/pdf")]
        ) { gateway, call in try await gateway.printInvoice(call, asPDF: true) },
        Endpoint(
            .get, "\(base)/{invoice_id}/html", "printInvoicePage", group: "Billing",
            "Prints an invoice as a page.", access: .member(.readBilling), parameters: [id],
            answers: [AnswerDescription(200, "The page.", mediaType: "text/html")]
        ) { gateway, call in try await gateway.printInvoice(call, asPDF: false) },
        Endpoint(
            .post, "\(base)/{invoice_id}/pay", "payInvoice", group: "Operator",
            "Records that all that is left of an invoice has come in.", access: .operatorOnly,
            parameters: [anyID],
            body: .object(payment, example: #"{"method":"bank_transfer","reference":"2026-11-23/4711"}"#),
            answers: shown, takesIdempotencyKey: true
        ) { gateway, call in try await gateway.payInvoice(call) },
        Endpoint(
            .post, "\(base)/{invoice_id}/payments", "recordPayment", group: "Operator",
            "Records a payment of a part of an invoice, or of all.", access: .operatorOnly,
            parameters: [anyID],
            body: .object(
                [Field("amount", .sentAmount, "In whole cents, and not more than is left.")] + payment,
                example: #"{"amount":{"usd":"5.00"},"method":"bank_transfer","reference":"2026-11-23/4712"}"#),
            answers: shown, takesIdempotencyKey: true
        ) { gateway, call in try await gateway.recordPayment(call) },
        Endpoint(
            .post, "\(base)/{invoice_id}/void", "voidInvoice", group: "Operator",
            "Takes an invoice back, as if it had never been sent.", access: .operatorOnly,
            parameters: [anyID],
            answers: shown, takesIdempotencyKey: true
        ) { gateway, call in try await gateway.voidInvoice(call) },
    ]
}
