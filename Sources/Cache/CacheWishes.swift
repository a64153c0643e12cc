import Base

/// What one request says of the cache, in `Cache-Control` (RFC 9111) and in `X-Hivegate-Cache`.
package struct CacheWishes: Equatable, Sendable {
    /// Not from the cache, but it may learn the answer.
    package var noCache = false
    /// The cache is neither asked nor told.
    package var noStore = false
    /// From the cache or not at all.
    package var onlyIfCached = false
    /// No answer that is older.
    package var largestAgeSeconds: Int?
    package var preference: Preference?

    package enum Preference: Equatable, Sendable {
        /// Without the cache, and without those who ask the same.
        case off
        /// Also where the policy would not, for what the request asks; never where the policy has no cache.
        case on
    }

    package init() {}

    /// `cacheControl`: the field's values, each a list. `preference`: the value of `X-Hivegate-Cache`, `on` or `off`;
    /// whoever writes anything else wants something other than what is usual, and gets no cache.
    package init(cacheControl: [ArraySlice<UInt8>], preference: ArraySlice<UInt8>?) {
        for value in cacheControl {
            var list = DirectiveList(value)
            while let directive = list.next() { take(directive) }
        }
        guard let preference else { return }
        self.preference =
            String(decoding: preference, as: UTF8.self).lowercased().trimmed == "on" ? .on : .off
    }

    private mutating func take(_ directive: DirectiveList.Directive) {
        switch directive.name {
        case "no-cache": noCache = true
        case "no-store": noStore = true
        case "only-if-cached": onlyIfCached = true
        // One that cannot be read makes all that is kept too old. Of several the smallest holds.
        case "max-age":
            let age = directive.value.flatMap(Self.seconds) ?? 0
            largestAgeSeconds = min(largestAgeSeconds ?? age, age)
        default: break
        }
    }

    /// What is too large to be a number of seconds is as good as the largest.
    private static func seconds(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return min(Int(text) ?? .max, 1 << 31)
    }
}

/// `name`, `name=value` or `name="value"`, with commas in between.
private struct DirectiveList {
    private var rest: ArraySlice<UInt8>

    struct Directive {
        /// In lower case.
        var name: String
        var value: String?
    }

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func next() -> Directive? {
        while let first = rest.first, Self.isBlank(first) || first == 0x2C { rest.removeFirst() }
        if rest.isEmpty { return nil }
        let name = take { $0 != 0x2C && $0 != 0x3D }
        var value: String?
        if rest.first == 0x3D {
            rest.removeFirst()
            let blanks = rest.prefix(while: Self.isBlank).count
            rest.removeFirst(blanks)
            value = rest.first == 0x22 ? quoted() : take { $0 != 0x2C }.trimmed
        }
        // Whatever else there is belongs to nothing.
        _ = take { $0 != 0x2C }
        return Directive(name: name.lowercased().trimmed, value: value)
    }

    private mutating func take(while isPart: (UInt8) -> Bool) -> String {
        let part = rest.prefix(while: isPart)
        rest.removeFirst(part.count)
        return String(decoding: part, as: UTF8.self)
    }

    /// nil where the quotes are not closed: nothing is left then.
    private mutating func quoted() -> String? {
        rest.removeFirst()
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case 0x22: return String(decoding: text, as: UTF8.self)
            case 0x5C: if let escaped = rest.popFirst() { text.append(escaped) }
            default: text.append(byte)
            }
        }
        return nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}

extension String {
    /// Without blanks at its ends.
    fileprivate var trimmed: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(self[first...last])
    }
}
