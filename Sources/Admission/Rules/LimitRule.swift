package import JSON

/// What one layer says of one subject: for each kind a bound, expressly none, or nothing.
package struct LimitRule: Equatable, Sendable {
    private var bounds = Limits()
    /// A bit for each kind that is expressly unlimited.
    private var unlimited: UInt16 = 0

    package enum Said: Equatable, Sendable {
        case atMost(Int)
        /// What lies below does not hold.
        case unlimited
    }

    package init(_ bounds: Limits = Limits()) { self.bounds = bounds }

    /// nil: nothing is said.
    package subscript(_ kind: LimitKind) -> Said? {
        get {
            if let bound = bounds[kind] { return .atMost(bound) }
            return unlimited & Self.bit(kind) == 0 ? nil : .unlimited
        }
        set {
            bounds[kind] = if case .atMost(let bound) = newValue { bound } else { nil }
            if newValue == .unlimited { unlimited |= Self.bit(kind) } else { unlimited &= ~Self.bit(kind) }
        }
    }

    package var isEmpty: Bool { unlimited == 0 && bounds.isEmpty }

    /// What this says, and where it says nothing, what `other` does.
    func over(_ other: LimitRule) -> LimitRule {
        if isEmpty { return other }
        if other.isEmpty { return self }
        var rule = self
        for kind in LimitKind.allCases where rule[kind] == nil { rule[kind] = other[kind] }
        return rule
    }

    private static func bit(_ kind: LimitKind) -> UInt16 {
        switch kind {
        case .window(let name): 1 << UInt16(name.quantity.rawValue * 4 + name.span.rawValue)
        case .underway: 1 << 8
        }
    }
}

extension LimitRule: JSONWritable {
    /// `{"requests_per_minute":60,"tokens_per_day":null}`
    package func write(to json: inout JSONWriter) {
        json.object { json in
            for kind in LimitKind.allCases {
                guard let said = self[kind] else { continue }
                json.key(dynamic: kind.rawValue)
                if case .atMost(let bound) = said { json.value(bound) } else { json.null() }
            }
        }
    }
}
