/// `If-None-Match` (RFC 9110, 13.1.2).
package enum EntityTagCondition {
    /// Whether one of `values` names `tag` (with its quotes), weakly compared, or is `*`. A malformed list
    /// matches nothing, so that the client gets the whole answer.
    package static func matches(_ values: [ArraySlice<UInt8>], tag: [UInt8]) -> Bool {
        values.contains { matches($0, tag: tag) }
    }

    private static func matches(_ value: ArraySlice<UInt8>, tag: [UInt8]) -> Bool {
        if value.elementsEqual([ASCII.asterisk]) { return true }
        var rest = value
        var found = false
        while true {
            rest = rest.drop { $0 == ASCII.space || $0 == ASCII.tab || $0 == ASCII.comma }
            if rest.isEmpty { return found }
            if rest.starts(with: [0x57, ASCII.slash]) { rest = rest.dropFirst(2) }
            guard rest.first == ASCII.quote,
                let end = rest.dropFirst().firstIndex(where: { !ByteSet.entityTag.contains($0) && $0 < 0x80 }
                ),
                rest[end] == ASCII.quote
            else { return false }
            if rest[...end].elementsEqual(tag) { found = true }
            rest = rest[(end + 1)...]
            let separator = rest.first { $0 != ASCII.space && $0 != ASCII.tab }
            guard separator == nil || separator == ASCII.comma else { return false }
        }
    }
}
