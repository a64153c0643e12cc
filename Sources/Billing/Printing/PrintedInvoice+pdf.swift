extension PrintedInvoice {
    package var pdf: [UInt8] {
        var layout = InvoiceLayout()
        for line in seller { layout.write(line) }
        layout.space(24)
        layout.heading(title)
        for line in buyer { layout.write(line) }
        layout.space(12)
        for fact in facts { layout.fact(fact.name, fact.value) }
        layout.space(24)
        layout.row("What", "Amount", bold: true)
        layout.rule()
        for position in positions {
            layout.row(position.text, position.amount)
            if !position.period.isEmpty { layout.note(position.period) }
        }
        layout.rule()
        for total in totals { layout.row(total.name, total.value, bold: true) }
        return PDFDocument(title: WinAnsi.encode(title), pages: layout.finished(title)).bytes
    }
}

/// Lines from top to bottom, on as many pages as they need.
private struct InvoiceLayout {
    private var pages = [PDFPage()]
    private var y = top

    private static let (left, right) = (56_000, PDFPage.width - 56_000)
    private static let (top, bottom) = (PDFPage.height - 72_000, 72_000)
    private static let factsWidth = 60_000
    /// What is left of the amounts.
    private static let textWidth = 360_000

    mutating func space(_ points: Int) { y -= points * 1000 }

    mutating func heading(_ text: String) {
        advance(28)
        page.write(WinAnsi.encode(text), at: Self.left, y, size: 20, bold: true)
        space(12)
    }

    mutating func write(_ text: String) { wrap(text, size: 10, height: 14) }
    mutating func note(_ text: String) { wrap(text, size: 8, height: 11) }

    private mutating func wrap(_ text: String, size: Int, height: Int) {
        for line in Helvetica.lines(WinAnsi.encode(text), size: size, within: Self.textWidth) {
            advance(height)
            page.write(line, at: Self.left, y, size: size)
        }
    }

    mutating func fact(_ name: String, _ value: String) {
        advance(14)
        page.write(WinAnsi.encode(name), at: Self.left, y, size: 10)
        page.write(WinAnsi.encode(value), at: Self.left + Self.factsWidth, y, size: 10)
    }

    mutating func row(_ text: String, _ amount: String, bold: Bool = false) {
        let lines = Helvetica.lines(WinAnsi.encode(text), size: 10, within: Self.textWidth)
        for (index, line) in lines.enumerated() {
            advance(16)
            page.write(line, at: Self.left, y, size: 10, bold: bold)
            // Digits, commas and letters of an amount are as wide in bold.
            if index == 0 {
                page.write(WinAnsi.encode(amount), endingAt: Self.right, y, size: 10, bold: bold)
            }
        }
    }

    mutating func rule() {
        advance(6)
        page.line(from: Self.left, to: Self.right, at: y)
    }

    /// The pages, each with its number.
    func finished(_ title: String) -> [PDFPage] {
        pages.enumerated().map { index, page in
            var page = page
            let text = "\(title), page \(index + 1) of \(pages.count)"
            page.write(WinAnsi.encode(text), endingAt: Self.right, Self.bottom / 2, size: 8)
            return page
        }
    }

    private var page: PDFPage {
        get { pages[pages.count - 1] }
        set { pages[pages.count - 1] = newValue }
    }

    /// To the next line, so many points below; to the next page where this one is full.
    private mutating func advance(_ points: Int) {
        space(points)
        if y < Self.bottom {
            pages.append(PDFPage())
            y = Self.top - points * 1000
        }
    }
}
