import Base

/// A file in PDF 1.4: pages of text in Helvetica, which every reader has, so that nothing is embedded.
struct PDFDocument {
    var title: [UInt8]
    var pages: [PDFPage]

    var bytes: [UInt8] {
        var file = Array("%PDF-1.4\n".utf8)
        var offsets: [Int] = []
        func object(_ body: (inout [UInt8]) -> Void) {
            offsets.append(file.count)
            file.append(decimal: offsets.count)
            file.append(" 0 obj\n")
            body(&file)
            file.append("\nendobj\n")
        }
        // Objects 1 to 5 are the same in every file; then two for each page.
        let kids = pages.indices.map { "\(6 + 2 * $0) 0 R" }.joined(separator: " ")
        object { $0.append("<< /Type /Catalog /Pages 2 0 R >>") }
        object { $0.append("<< /Type /Pages /Count \(pages.count) /Kids [\(kids)] >>") }
        object { $0.append(Self.font("Helvetica")) }
        object { $0.append(Self.font("Helvetica-Bold")) }
        object { file in
            file.append("<< /Producer (Hivegate) /Title (")
            PDFPage.append(escaped: title, to: &file)
            file.append(") >>")
        }
        for (index, page) in pages.enumerated() {
            object {
                $0.append(
                    """
                    << /Type /Page /Parent 2 0 R /MediaBox [0 0 \(PDFPage.width / 1000) \(PDFPage.height / 1000)] \
                    /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents \(7 + 2 * index) 0 R >>
                    """)
            }
            object {
                $0.append("<< /Length \(page.content.count) >>\nstream\n")
                $0 += page.content
                $0.append("\nendstream")
            }
        }
        let start = file.count
        // An entry has 20 bytes, its end included.
        file.append("xref\n0 \(offsets.count + 1)\n0000000000 65535 f \n")
        for offset in offsets {
            file.append(decimal: offset, width: 10)
            file.append(" 00000 n \n")
        }
        file.append(
            "trailer\n<< /Size \(offsets.count + 1) /Root 1 0 R /Info 5 0 R >>\nstartxref\n\(start)\n%%EOF\n")
        return file
    }

    private static func font(_ name: String) -> String {
        "<< /Type /Font /Subtype /Type1 /BaseFont /\(name) /Encoding /WinAnsiEncoding >>"
    }
}
