import Analytics
import Base
import Identity
import JSON

/// The handlers of `UsageMonthEndpoints`.
extension Gateway {
    /// - Parameter user: nil: all.
    func showUsage(_ call: APICall, by user: UUID?) async throws -> Reply {
        let organization = call.principal.organization
        if let user, try await !analytics.knows(user, in: organization) { throw Problem.nothingHere }
        let (zone, months) = try await analytics.months(of: organization, by: user, until: call.now)
        return .json { json in
            for month in months { json.fields(of: month, in: zone) }
        }
    }

    func listUsageMonths(_ call: APICall) async throws -> Reply {
        let (zone, months) = try await analytics.months(
            of: call.principal.organization, until: call.now, count: call.query.integer("months"))
        return .json { json in
            json.array("data") { json in
                for month in months { json.object { $0.fields(of: month, in: zone) } }
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func fields(of month: UsageMonth, in zone: String) {
        field("month", month.name)
        field("from", month.start.description)
        field("to", month.end.description)
        field("time_zone", zone)
        fields(of: month.totals)
    }
}
