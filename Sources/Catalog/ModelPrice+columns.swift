package import Postgres

/// Prices as the tables of the price book have them: the same columns in each.
extension ModelPrice {
    package static let columns: SQL = """
        input, cache_read, cache_write, cache_write_long, output, reasoning, audio_input, audio_output, image_output,
        image, request, search, second, character, long_above, long_input, long_output
        """

    /// In the order of `columns`.
    package var values: SQL {
        """
        \(input), \(cacheRead), \(cacheWrite), \(cacheWriteLong), \(output), \(reasoning), \(audioInput),
        \(audioOutput), \(imageOutput), \(image), \(request), \(search), \(second), \(character),
        \(longContext?.above), \(longContext?.input), \(longContext?.output)
        """
    }

    /// Takes over what `columns` say.
    package mutating func read(_ row: PostgresRow) throws(PostgresError) {
        if let above = try row.decode(Int?.self, "long_above") {
            longContext = LongContext(above: above, input: nil, output: nil)
        }
        for column in PriceColumn.allCases { self[column] = try row.decode(Int?.self, column.rawValue) }
    }

    /// Whether it asks the same for everything, whenever it holds and wherever it is from.
    package func asksTheSame(as other: ModelPrice) -> Bool {
        PriceColumn.allCases.allSatisfy { self[$0] == other[$0] }
            && longContext?.above == other.longContext?.above
    }
}
