/// One of the things that `Limits` bound.
package enum LimitKind: Hashable, Sendable {
    case window(LimitName)
    /// Requests under way at once.
    case underway

    /// The largest that such a limit can be.
    package var largest: Int {
        self == .underway ? Limits.largestConcurrent : Limits.largest
    }
}

extension LimitKind: CaseIterable {
    package static let allCases = LimitName.all.map(Self.window) + [.underway]
}

/// Its name on the wire: `requests_per_minute`.
extension LimitKind: RawRepresentable {
    package init?(rawValue: String) {
        guard let kind = Self.byName[rawValue] else { return nil }
        self = kind
    }

    package var rawValue: String {
        switch self {
        case .window(let name): name.text
        case .underway: "concurrent_requests"
        }
    }

    private static let byName = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })
}

extension Limits {
    /// nil does not limit.
    package subscript(_ kind: LimitKind) -> Int? {
        get {
            switch kind {
            case .window(let name): self[name.quantity, name.span]
            case .underway: concurrent
            }
        }
        set {
            switch kind {
            case .window(let name): self[name.quantity, name.span] = newValue
            case .underway: concurrent = newValue
            }
        }
    }
}
