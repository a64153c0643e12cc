/// One position of an invoice.
package struct InvoiceLine: Equatable, Sendable {
    package var kind: Kind
    /// As it is printed.
    package var text: String
    /// What it is for, where it is for a time.
    package var period: BillingPeriod?
    /// In US cents; negative: for the customer.
    package var cents: Int64

    package enum Kind: String, CaseIterable, Sendable {
        case subscription, proration, usage, commission, credit
    }

    package init(_ kind: Kind, _ text: String, period: BillingPeriod? = nil, cents: Int64) {
        self.kind = kind
        self.text = text
        self.period = period
        self.cents = cents
    }
}
