extension PriceImport {
    /// Why a price is not applied before somebody has looked at it.
    package struct Reason: Equatable, Sendable {
        package let kind: Kind
        package let column: PriceColumn
        /// Who says something else.
        package let other: String?

        package enum Kind: String, CaseIterable, Sendable {
            /// More than `mostPerToken`.
            case tooHigh = "too_high"
            /// More than `jump` times as much as what is in force, or as little.
            case jump
            case disagreement
        }

        package init(_ kind: Kind, _ column: PriceColumn, other: String? = nil) {
            self.kind = kind
            self.column = column
            self.other = other
        }

        // MARK: In the database

        /// `disagreement input openrouter`
        var text: String {
            ([kind.rawValue, column.rawValue] + (other.map { [$0] } ?? [])).joined(separator: " ")
        }

        init?(text: String) {
            let parts = text.split(separator: " ", maxSplits: 2).map(String.init)
            guard parts.count >= 2, let kind = Kind(rawValue: parts[0]),
                let column = PriceColumn(rawValue: parts[1])
            else { return nil }
            self.init(kind, column, other: parts.count == 3 ? parts[2] : nil)
        }
    }
}

extension PriceImport.Reason: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .tooHigh: "\(column.rawValue) is more than 1,000 dollars for a million"
        case .jump:
            "\(column.rawValue) is more than \(PriceImport.jump) times as much as what is in force, or as little"
        case .disagreement: "\(column.rawValue) is something else according to \(other ?? "another list")"
        }
    }
}
