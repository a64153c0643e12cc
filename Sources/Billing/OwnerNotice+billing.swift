package import Identity

extension OwnerNotice {
    /// An invoice is overdue, and we say so for the n-th time.
    package static func reminder(_ reminder: Reminder) -> OwnerNotice {
        let invoice = reminder.invoice
        let number = invoice.number.map { " \($0)" } ?? ""
        return OwnerNotice(
            subject: "Invoice\(number) is overdue",
            text: """
                Invoice\(number) over \(USCents.text(invoice.totalCents)) is overdue: \(USCents.text(invoice.restCents)) is \
                left to pay. This is reminder \(reminder.count) of \(Subscription.Terms.reminders.count). Seven days after it \
                was due the organization has the free plan, until it is paid.
                """)
    }

    static func paymentFailed(_ cents: Int64) -> OwnerNotice {
        OwnerNotice(
            subject: "A payment has failed",
            text: """
                A payment of \(USCents.text(cents)) for your subscription has failed. It is tried again. Add another card, or \
                pay it now:
                """)
    }

    static func topUpFailed(_ cents: Int64) -> OwnerNotice {
        OwnerNotice(
            subject: "Your wallet could not be filled",
            text: """
                The card that fills your wallet by itself was declined for \(USCents.text(cents)). Add another card, or fill \
                the wallet yourself, before it is empty:
                """)
    }
}
