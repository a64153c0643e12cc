import Base
import Testing

@testable import Billing

struct PrintedInvoiceTests {
    private static func invoice(
        _ lines: [InvoiceLine], billTo: String = "Acme GmbH\nMünchen", status: Invoice.Status = .open
    ) -> Invoice {
        let now = Timestamp(seconds: 1_800_000_000)
        return Invoice(
            id: UUID(high: 1, low: 1), organization: UUID(high: 1, low: 2), number: 17, status: status,
            billTo: billTo, lines: lines, totalCents: lines.reduce(0) { $0 + $1.cents }, paidCents: 0,
            createdAt: now, openedAt: now, dueAt: now + .seconds(14 * 86_400))
    }

    private static let lines = [
        InvoiceLine(
            .subscription, "Pro (yearly) \\ 50% <off>",
            period: BillingAnchor(Timestamp(seconds: 1_800_000_000), every: .month).period(0), cents: 123_456),
        InvoiceLine(.credit, "Kept from earlier invoices", cents: -3456),
    ]

    @Test func `a page for the browser has everything, and nothing of it is markup`() {
        let html = PrintedInvoice(
            Self.invoice(Self.lines, billTo: "<script>alert('x')</script>\n\"A\" & B"), from: "Hivegate Ltd"
        ).html
        #expect(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;<br>&quot;A&quot; &amp; B"))
        #expect(!html.contains("<script"))
        for text in [
            "<title>Invoice 17</title>", "Hivegate Ltd", "Pro (yearly) \\ 50% &lt;off&gt;", "USD 1,234.56",
            "2027-01-15 to 2027-02-15", "-USD 34.56", "USD 1,200.00", "2027-01-29",
        ] {
            #expect(html.contains(text), "\(text)")
        }
    }

    @Test func `a file for the printer can be read, and has everything`() throws {
        let pdf = try PDFReader(PrintedInvoice(Self.invoice(Self.lines), from: "Hivegate Ltd").pdf)
        #expect(pdf.pages.count == 1 && pdf.title == "Invoice 17")
        let texts = pdf.pages[0].map(\.text)
        for text in [
            "Hivegate Ltd", "Invoice 17", "Acme GmbH", "München", "Pro (yearly) \\ 50% <off>", "USD 1,234.56",
            "2027-01-15 to 2027-02-15", "-USD 34.56", "USD 1,200.00", "Invoice 17, page 1 of 1", "2027-01-29",
        ] {
            #expect(texts.contains(text), "\(text) in \(texts)")
        }
        #expect(texts.filter { $0 == "USD 1,200.00" }.count == 2, "the total, and what is to pay")
        // Amounts end where the column ends.
        for shown in pdf.pages[0] where shown.text.contains("USD") {
            let end = shown.x + Double(Helvetica.width(of: Array(shown.text.utf8), size: 10)) / 1000
            #expect(abs(end - 539) < 0.01, "\(shown.text)")
        }
    }

    @Test func `many lines need many pages, and none is lost or written beside the paper`() throws {
        let lines = (1...200).map { index in
            InvoiceLine(
                .subscription,
                "Position \(index) " + String(repeating: "that is described at length ", count: index % 9),
                cents: Int64(index))
        }
        let pdf = try PDFReader(PrintedInvoice(Self.invoice(lines), from: "Hivegate").pdf)
        #expect(pdf.pages.count > 5)
        let texts = pdf.pages.flatMap { $0 }
        for index in 1...200 {
            #expect(texts.contains { $0.text.hasPrefix("Position \(index)") }, "\(index)")
        }
        #expect(texts.contains { $0.text == "USD 201.00" })
        for (number, page) in pdf.pages.enumerated() {
            #expect(page.contains { $0.text == "Invoice 17, page \(number + 1) of \(pdf.pages.count)" })
            for shown in page {
                let end =
                    shown.x + Double(Helvetica.width(of: WinAnsi.encode(shown.text), size: shown.size)) / 1000
                #expect(shown.x >= 50 && end < 545 && shown.y > 30 && shown.y < 800, "\(shown)")
            }
            // No line lies over another.
            let heights = page.filter { $0.x == 56 }.map(\.y)
            #expect(zip(heights, heights.dropFirst()).allSatisfy { $0 - $1 >= 8 })
        }
    }

    @Test func `names of all alphabets can be read, or at least told apart`() {
        let cases = [
            ("Zażółć gęślą jaźń", "Zazólc gesla jazn"), ("Łódź", "Lódz"), ("Škoda", "Škoda"),
            ("Привет, Щукин", "Privet, Shchukin"), ("Київ", "Kiyiv"), ("Ελλάδα", "Ellada"),
            ("İstanbul", "Istanbul"),
            ("かな", "kana"), ("한국", "hangug"), ("€ 5 – „gut“ … ™", "€ 5 – „gut“ … ™"), ("e\u{301}", "é"),
            ("張", "[U+5F35]"), ("٣", "3"), ("a\u{200B}b\u{0}c\r\nd\te", "abc d e"), ("ﬁ", "fi"), ("ẞ", "Ss"),
            ("−5‐6", "-5-6"),
        ]
        for (text, expected) in cases {
            #expect(WinAnsi.encode(text) == WinAnsi.encode(expected), "\(text)")
        }
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func `no text breaks a file`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            var text = ""
            for _ in 0..<Int.random(in: 0...400, using: &random) {
                let most: UInt32 = [0x7F, 0x250, 0x3000, 0x10_FFFF].randomElement(using: &random)!
                if let scalar = Unicode.Scalar(UInt32.random(in: 0...most, using: &random)) {
                    text.unicodeScalars.append(scalar)
                }
            }
            let printed = PrintedInvoice(
                Self.invoice([InvoiceLine(.subscription, text + "x", cents: 1)], billTo: text), from: text)
            let pdf = try PDFReader(printed.pdf)
            #expect(pdf.pages.joined().contains { $0.text == "USD 0.01" }, "seed \(seed)")
            #expect(printed.html.hasSuffix("</html>\n"), "seed \(seed)")
        }
    }
}
