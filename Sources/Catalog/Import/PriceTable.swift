/// A table of prices with commas between its columns, whose first line names them as `catalog/models.csv` does:
/// `provider`, `upstream_name`, and any of the prices. Prices of tokens are in dollars for a million, others for one.
enum PriceTable {
    private static let longest = 100_000

    static func read(_ bytes: [UInt8]) throws(PriceFormat.Unreadable) -> [ListedPrice] {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw PriceFormat.Unreadable(description: "it is not UTF-8")
        }
        var lines = try rows(text)
        guard !lines.isEmpty else { throw PriceFormat.Unreadable(description: "it is empty") }
        let header = lines.removeFirst()
        guard let provider = header.firstIndex(of: "provider"),
            let name = header.firstIndex(of: "upstream_name")
        else {
            throw PriceFormat.Unreadable(
                description: "its first line does not name the columns provider and upstream_name")
        }
        guard Set(header).count == header.count else {
            throw PriceFormat.Unreadable(description: "a column is there twice")
        }
        var prices: [ListedPrice] = []
        for (index, line) in lines.enumerated() {
            guard line.count == header.count else {
                throw PriceFormat.Unreadable(
                    description:
                        "row \(index + 2) has \(line.count) columns, and the first has \(header.count)")
            }
            prices.append(price(line, header, "\(line[provider])/\(line[name])"))
        }
        return prices
    }

    private static func price(_ line: [String], _ header: [String], _ id: String) -> ListedPrice {
        var price = ListedPrice(id, id: id)
        for (column, text) in zip(header, line) where !text.isEmpty {
            if column == "long_above" {
                price.longAbove = Int(text).flatMap { $0 > 0 ? $0 : nil }
                if price.longAbove == nil { price.faults.append("long_above is no number of tokens") }
            } else if let amount = PriceColumn(rawValue: column) {
                price.take(text, as: amount, perMillion: amount.isPerToken)
            }
        }
        return price
    }

    /// As RFC 4180 has it: what stands between quotes may have commas, line ends and doubled quotes.
    private static func rows(_ text: String) throws(PriceFormat.Unreadable) -> [[String]] {
        var rows: [[String]] = []
        var row: [String] = []
        var cell: [UInt8] = []
        var isQuoted = false
        var isAfterQuote = false
        func endCell() {
            row.append(String(decoding: cell, as: UTF8.self))
            cell = []
            isAfterQuote = false
        }
        func endRow() {
            endCell()
            if row != [""] { rows.append(row) }
            row = []
        }
        for byte in text.utf8 {
            switch (byte, isQuoted) {
            case (0x22, true): (isQuoted, isAfterQuote) = (false, true)
            case (0x22, false):
                // A second one is one that is meant.
                if isAfterQuote { cell.append(byte) }
                guard isAfterQuote || cell.isEmpty else {
                    throw PriceFormat.Unreadable(description: "a quote stands within a cell without quotes")
                }
                (isQuoted, isAfterQuote) = (true, false)
            case (_, true): cell.append(byte)
            case (0x2C, false): endCell()
            case (0x0A, false): endRow()
            case (0x0D, false): break
            default: cell.append(byte)
            }
            guard rows.count <= longest else {
                throw PriceFormat.Unreadable(description: "it has more than \(longest) rows")
            }
        }
        if isQuoted { throw PriceFormat.Unreadable(description: "a quote is not closed") }
        if !cell.isEmpty || !row.isEmpty { endRow() }
        return rows
    }
}
