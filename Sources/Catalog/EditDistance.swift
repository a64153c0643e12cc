/// How many letters two names differ in: typed too much, left out, or mistaken for another.
enum EditDistance {
    /// The distance, where it is no more than `most`.
    static func between(_ left: [UInt8], _ right: [UInt8], most: Int) -> Int? {
        guard abs(left.count - right.count) <= most else { return nil }
        let far = most + 1
        // Only what lies near the diagonal can be within `most`.
        var row = (0...right.count).map { min($0, far) }
        for (line, letter) in left.enumerated() {
            let first = max(0, line - most)
            let last = min(right.count, line + 1 + most)
            var diagonal = row[first]
            row[first] = first == 0 ? min(line + 1, far) : far
            var best = row[first]
            for column in first..<last {
                let same = diagonal + (right[column] == letter ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(same, min(row[column + 1], row[column]) + 1, far)
                best = min(best, row[column + 1])
            }
            if best > most { return nil }
        }
        return row[right.count] <= most ? row[right.count] : nil
    }
}
