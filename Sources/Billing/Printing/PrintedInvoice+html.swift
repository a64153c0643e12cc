extension PrintedInvoice {
    /// A page of its own that needs nothing else, and prints as it looks.
    package var html: String {
        let positions = self.positions.map { position in
            let period = position.period.isEmpty ? "" : "<br><small>\(Self.escaped(position.period))</small>"
            return
                "<tr><td>\(Self.escaped(position.text))\(period)</td><td>\(Self.escaped(position.amount))</td></tr>"
        }
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <title>\(Self.escaped(title))</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            <address>\(Self.escaped(seller))</address>
            <h1>\(Self.escaped(title))</h1>
            <address>\(Self.escaped(buyer))</address>
            <table class="facts">
            \(Self.rows(facts))
            </table>
            <table>
            <thead><tr><th>What</th><th>Amount</th></tr></thead>
            <tbody>
            \(positions.joined(separator: "\n"))
            </tbody>
            <tfoot>
            \(Self.rows(totals))
            </tfoot>
            </table>
            </body>
            </html>

            """
    }

    private static let style = """
        body{font:14px/1.5 Helvetica,Arial,sans-serif;max-width:44em;margin:3em auto;padding:0 1em;color:#111}\
        address{font-style:normal;margin:1em 0}table{border-collapse:collapse;width:100%;margin:1.5em 0}\
        .facts{width:auto}th,td{text-align:left;padding:.3em 1em .3em 0;vertical-align:top}\
        td:last-child,th:last-child{text-align:right;padding-right:0;font-variant-numeric:tabular-nums}\
        thead th,tbody tr{border-bottom:1px solid #ccc}tfoot th,tfoot td{font-weight:bold}\
        tr{break-inside:avoid}@media print{body{margin:0;max-width:none}}
        """

    private static func rows(_ rows: [Row]) -> String {
        rows.map { "<tr><th>\(escaped($0.name))</th><td>\(escaped($0.value))</td></tr>" }
            .joined(separator: "\n")
    }

    private static func escaped(_ lines: [String]) -> String {
        lines.map { escaped($0) }.joined(separator: "<br>")
    }

    /// What would be markup is text, and what no document may have is left out.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}": escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
