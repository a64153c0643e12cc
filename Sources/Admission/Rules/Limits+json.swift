package import JSON

extension Limits: JSONWritable {
    /// `{"requests_per_minute":60}`: what is not limited is left out.
    package func write(to json: inout JSONWriter) {
        json.object { json in
            for kind in LimitKind.allCases {
                guard let bound = self[kind] else { continue }
                json.key(dynamic: kind.rawValue)
                json.value(bound)
            }
        }
    }

    /// A key's own limits, as they were stored. Releases differ in what they let in: what is larger than a limit can be
    /// now is the largest, what is no number blocks, and what has another name is left out.
    package init(stored json: [UInt8]) {
        self.init()
        guard let document = try? JSONDocument(parsing: json) else { return }
        for member in document.root.members where !member.value.isNull {
            guard let kind = LimitKind(rawValue: member.key.string) else { continue }
            self[kind] = Self.bound(member.value, of: kind)
        }
    }

    private static func bound(_ value: JSONValue, of kind: LimitKind) -> Int {
        if let bound = value.int { return min(max(bound, 0), kind.largest) }
        // A fraction, or more than 64 bits hold.
        guard let number = value.double else { return 0 }
        return number >= Double(kind.largest) ? kind.largest : Int(max(number, 0))
    }
}
