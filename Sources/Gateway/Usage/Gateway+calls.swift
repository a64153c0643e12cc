import Analytics
import Base
import HTTPServer
import HTTPWire
import Identity
import JSON

/// The handlers of `CallEndpoints`.
extension Gateway {
    /// Calls of a table that are in memory at once.
    private static let tablePiece = 500

    func listCalls(_ call: APICall) async throws -> Reply {
        let filter = CallFilter(call.query)
        let organization = call.principal.organization
        if wantsTable(call) { return table(of: organization, filter) }
        let limit = call.query.integer("limit")
        let calls = try await analytics.calls(of: organization, filter, limit: limit)
        return .json { json in
            json.array("data") { json in
                for call in calls { json.object { $0.fields(of: call) } }
            }
            json.field("next_cursor", calls.count == limit ? calls.last?.id.description : nil)
        }
    }

    private func wantsTable(_ call: APICall) -> Bool {
        if let format = call.query.optionalString("format") { return format == "csv" }
        let accept = call.exchange.request.fields["accept"].map { String(decoding: $0, as: UTF8.self) }
        return accept?.lowercased().hasPrefix("text/csv") ?? false
    }

    /// Piece by piece, as the client takes it.
    private func table(of organization: UUID, _ filter: CallFilter) -> Reply {
        let analytics = analytics
        return .stream([
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": "attachment; filename=\"requests.csv\"",
        ]) { stream in
            try await stream.write(CallTable.heading)
            var filter = filter
            while true {
                let calls = try await analytics.calls(of: organization, filter, limit: Self.tablePiece)
                try await stream.write(calls.map(CallTable.lines).joined())
                guard calls.count == Self.tablePiece, let last = calls.last else { return }
                filter.before = last.id
            }
        }
    }
}

extension CallFilter {
    fileprivate init(_ query: Fields) {
        self.init()
        model = query.optionalString("model")
        provider = query.optionalString("provider")
        key = query.optionalID("key")
        user = query.optionalID("user")
        outcome = query.optionalChoice("outcome", as: Outcome.self)
        tag = query.optionalString("tag").map { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), String(parts[1]))
        }
        start = query.optionalTimestamp("from")
        end = query.optionalTimestamp("to")
        before = query.optionalID("cursor")
    }
}
