import JSON

extension JSONValue {
    /// The number as a count of tokens; nil where no answer can have taken so many, or fewer than none. Counts are
    /// added up, and a provider must not be able to make that overflow.
    var tokenCount: Int? { int.flatMap { (0...(1 << 40)).contains($0) ? $0 : nil } }
}
