import Analytics
import Base
import Identity
import JSON

/// The handlers of `AnalyticsEndpoints`.
extension Gateway {
    var analytics: AnalyticsStore { AnalyticsStore(identity.store.pool) }

    func showAnalytics(_ call: APICall) async throws -> Reply {
        let end = call.query.optionalTimestamp("to") ?? call.now
        let query = try OverviewQuery(
            from: call.query.optionalTimestamp("from") ?? end + .seconds(-30 * 86_400), to: end,
            zone: try await timeZone(call),
            interval: call.query.choice("interval", as: OverviewQuery.Interval.self),
            grouping: call.query.optionalChoice("group_by", as: OverviewQuery.Grouping.self),
            comparesBefore: call.query.bool("compare"))
        let overview = try await analytics.overview(of: call.principal.organization, query)
        return .json { json in
            json.field("from", query.start.description)
            json.field("to", query.end.description)
            json.field("time_zone", query.zone)
            json.field("interval", query.interval.rawValue)
            json.object("totals") { $0.fields(of: overview.totals) }
            if let before = overview.before {
                json.object("before") { $0.fields(of: before) }
            } else {
                json.null("before")
            }
            json.array("series") { json in
                for point in overview.points {
                    json.object { json in
                        json.field("at", point.start.description)
                        json.fields(of: point.totals)
                    }
                }
            }
            json.array("groups") { json in
                for group in overview.groups {
                    json.object { json in
                        json.field("name", group.name)
                        json.fields(of: group.totals)
                    }
                }
            }
            json.field("has_more_groups", overview.hasMoreGroups)
        }
    }

    /// The zone that the query names, as the database spells it.
    private func timeZone(_ call: APICall) async throws -> String {
        let wanted = call.query.string("time_zone")
        if wanted == "UTC" { return wanted }
        guard let zone = try await identity.store.timeZone(like: wanted) else {
            throw Problem(
                faults: [
                    Problem.Fault(
                        "time_zone", "is not known; name one as IANA does, for example \"Europe/Berlin\"")
                ], code: "unknown_time_zone")
        }
        return zone
    }
}
