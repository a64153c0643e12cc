import JSON

/// Reads what an answer must have to mean anything. What is not as it must be makes the answer garbled.
enum ReplyField {
    static func text(_ value: JSONValue?, _ name: @autoclosure () -> String) throws(UpstreamFault) -> String {
        guard let text = value?.string else { throw .garbled("\(name()) is no string") }
        return text
    }

    static func object(_ value: JSONValue?, _ name: @autoclosure () -> String) throws(UpstreamFault)
        -> JSONValue
    {
        guard let value, value.kind == .object else { throw .garbled("\(name()) is no object") }
        return value
    }

    static func array(_ value: JSONValue?, _ name: @autoclosure () -> String) throws(UpstreamFault)
        -> JSONValue
    {
        guard let value, value.kind == .array else { throw .garbled("\(name()) is no list") }
        return value
    }

    /// How many, never less than none.
    static func count(_ value: JSONValue?, _ name: @autoclosure () -> String) throws(UpstreamFault) -> Int {
        guard let count = value?.int, count >= 0 else { throw .garbled("\(name()) is no count") }
        return count
    }
}
