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
        var filter = CallFilter(call.query)
        filter.start = call.query.optionalTimestamp("from")
        filter.end = call.query.optionalTimestamp("to")
        filter.before = call.query.optionalID("cursor")
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
