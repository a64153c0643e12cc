import Base

/// An invoice as people read it: `html` for a browser, `pdf` for a file.
package struct PrintedInvoice: Sendable {
    package let title: String
    /// Who asks, and who is asked: a line each.
    let seller: [String]
    let buyer: [String]
    /// Days, and how it stands.
    let facts: [Row]
    let positions: [Position]
    let totals: [Row]

    struct Row: Sendable {
        var name: String
        var value: String
    }

    struct Position: Sendable {
        var text: String
        /// For which time; empty: for none.
        var period: String
        var amount: String
    }

    /// - Parameter seller: name, address, tax number, a line each.
    package init(_ invoice: Invoice, from seller: String) {
        title = invoice.number.map { "Invoice \($0)" } ?? "Draft of an invoice"
        self.seller = Self.lines(of: seller)
        buyer = Self.lines(of: invoice.billTo ?? "")
        let days = [
            ("Date", invoice.openedAt), ("Due", invoice.status == .open ? invoice.dueAt : nil),
            ("Paid", invoice.status == .paid ? invoice.closedAt : nil),
        ]
        facts =
            days.compactMap { name, day in day.map { Row(name: name, value: Self.day($0)) } }
            + [Row(name: "Status", value: invoice.status.rawValue)]
        positions = invoice.lines.map { line in
            Position(
                text: line.text,
                period: line.period.map { "\(Self.day($0.start)) to \(Self.day($0.end))" } ?? "",
                amount: USCents.text(line.cents))
        }
        var totals = [Row(name: "Total", value: USCents.text(invoice.totalCents))]
        if invoice.paidCents > 0, invoice.restCents > 0 {
            totals.append(Row(name: "Paid", value: USCents.text(invoice.paidCents)))
        }
        if invoice.status == .open {
            totals.append(Row(name: "To pay", value: USCents.text(invoice.restCents)))
        }
        self.totals = totals
    }

    /// More lines of an address nobody has.
    static let mostAddressLines = 12

    private static func lines(of text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).prefix(mostAddressLines).map { String($0) }
    }

    private static func day(_ moment: Timestamp) -> String { String(moment.description.prefix(10)) }
}
