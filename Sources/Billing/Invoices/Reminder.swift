/// An invoice is overdue, and somebody should be told for the n-th time.
package struct Reminder: Equatable, Sendable {
    package let invoice: Invoice
    package let count: Int
}
