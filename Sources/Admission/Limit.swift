/// What is counted.
package enum Quantity: Int, CaseIterable, Sendable {
    case requests, tokens
}

/// Over how long.
package enum Span: Int, CaseIterable, Sendable {
    case minute, hour, day
    /// A calendar month in the organization's zone. The others slide.
    case month

    /// How long it is, in the steps in which it slides. A window's arithmetic is exact with these and with counts up to
    /// `Limits.largest`, in whole numbers as in the numbers of Lua.
    package var steps: Int64 {
        switch self {
        case .minute: 60_000
        case .hour: 36_000
        case .day: 86_400
        case .month: 1
        }
    }

    /// One of these steps, in milliseconds.
    package var step: Int64 {
        switch self {
        case .minute: 1
        case .hour: 100
        case .day: 1000
        case .month: 0
        }
    }
}

/// A quantity in a span of time, by its name in the API: `requests_per_minute`.
package struct LimitName: Hashable, Sendable {
    package var quantity: Quantity
    package var span: Span

    package init(_ quantity: Quantity, _ span: Span) {
        self.quantity = quantity
        self.span = span
    }

    package var text: String {
        let quantity = quantity == .requests ? "requests" : "tokens"
        return switch span {
        case .minute: "\(quantity)_per_minute"
        case .hour: "\(quantity)_per_hour"
        case .day: "\(quantity)_per_day"
        case .month: "\(quantity)_per_month"
        }
    }

    /// In the order in which Redis gets the limits.
    package static let all = Quantity.allCases.flatMap { quantity in
        Span.allCases.map { LimitName(quantity, $0) }
    }
}

extension Limits {
    package subscript(_ quantity: Quantity, _ span: Span) -> Int? {
        get {
            let windows = quantity == .requests ? requests : tokens
            return switch span {
            case .minute: windows.minute
            case .hour: windows.hour
            case .day: windows.day
            case .month: windows.month
            }
        }
        set {
            var windows = quantity == .requests ? requests : tokens
            switch span {
            case .minute: windows.minute = newValue
            case .hour: windows.hour = newValue
            case .day: windows.day = newValue
            case .month: windows.month = newValue
            }
            if quantity == .requests { requests = windows } else { tokens = windows }
        }
    }
}
