/// How much is left of the limits that a request touches.
package struct Standing: Equatable, Sendable {
    /// The limits of which the smallest part is left.
    package var requests: Window?
    package var tokens: Window?

    /// The one of both of which less is left.
    package var tightest: Window? {
        guard let requests else { return tokens }
        guard let tokens else { return requests }
        return tokens.isTighter(than: requests) ? tokens : requests
    }

    package struct Window: Equatable, Sendable {
        package var limit: Int
        package var remaining: Int
        /// Milliseconds until all of it is there again, if nothing comes.
        package var reset: Int64

        fileprivate func isTighter(than other: Window) -> Bool {
            let (one, another) = (
                remaining.multipliedFullWidth(by: other.limit), other.remaining.multipliedFullWidth(by: limit)
            )
            return one.high != another.high ? one.high < another.high : one.low < another.low
        }
    }

    /// As their memories have them, brought to `now`.
    init(of subjects: SubjectList, at now: Int64, in month: Month?) {
        for subject in subjects.windowed {
            let state = subject.memory.state.rolled(to: now, month: month?.index ?? 0)
            take(subject.limits, state, at: now, in: month)
        }
    }

    /// How many tokens are left of all limits; nil where none limits them.
    static func room(of subjects: SubjectList, at now: Int64, in month: Month?) -> Int? {
        var room: Int?
        for subject in subjects.windowed {
            let state = subject.memory.state.rolled(to: now, month: month?.index ?? 0)
            for span in Span.allCases {
                guard let limit = subject.limits[.tokens, span] else { continue }
                let left = limit - Int(state.used(.tokens, span, at: now))
                room = min(room ?? left, left)
            }
        }
        return room
    }

    private mutating func take(_ limits: Limits, _ state: WindowState, at now: Int64, in month: Month?) {
        for span in [Span.minute, .hour, .day, .month] {
            if let limit = limits[.requests, span] {
                let window = Self.window(limit, state, .requests, span, at: now, in: month)
                if requests.map(window.isTighter) ?? true { requests = window }
            }
            if let limit = limits[.tokens, span] {
                let window = Self.window(limit, state, .tokens, span, at: now, in: month)
                if tokens.map(window.isTighter) ?? true { tokens = window }
            }
        }
    }

    private static func window(
        _ limit: Int, _ state: WindowState, _ quantity: Quantity, _ span: Span, at now: Int64,
        in month: Month?
    ) -> Window {
        let used = state.used(quantity, span, at: now)
        let clear = state.clearAt(quantity, span, at: now, endOfMonth: month?.end ?? now)
        return Window(limit: limit, remaining: max(0, limit - Int(used)), reset: clear - now)
    }
}
