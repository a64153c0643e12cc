import Base
import Budgets
import Identity
import JSON

/// The handlers of `BudgetEndpoints` that look back, and ahead.
extension Gateway {
    private static let usualReport = Duration.seconds(30 * 86_400)

    func listBudgetWindows(_ call: APICall) async throws -> Reply {
        let limit = call.query.integer("limit")
        // One more, to know whether there are more.
        let windows = try await budgets.history(
            of: call.id("budget_id"), in: call.principal.organization, limit: limit + 1)
        return .json { json in
            json.list(windows.prefix(limit), hasMore: windows.count > limit) { json, window in
                json.fields(of: window)
            }
        }
    }

    func showBudgetStatus(_ call: APICall) async throws -> Reply {
        let organization = call.principal.organization
        let found = try await budgets.budgets(of: organization)
        let terms = try await budgets.terms(of: organization)
        return .json { json in
            json.field("mode", limits.budgets.rawValue)
            json.field("enforced_from", terms.enforcedFrom?.description)
            json.window("wallet", terms.wallet)
            json.array("budgets") { json in
                for standing in found { json.object { json in json.fields(of: standing, at: call.now) } }
            }
        }
    }

    func showBudgetUsage(_ call: APICall) async throws -> Reply {
        let organization = call.principal.organization
        let (zone, days) = try await budgets.days(of: organization, count: call.query.integer("days"))
        let found = try await budgets.budgets(of: organization)
        return .json { json in
            json.field("time_zone", zone)
            json.amount("total", days.reduce(0) { $0 + $1.nanodollars })
            json.array("days") { json in
                for day in days {
                    json.object { json in
                        json.field("date", day.name)
                        json.amount("spent", day.nanodollars)
                    }
                }
            }
            json.array("windows") { json in
                for standing in found {
                    guard let window = standing.window else { continue }
                    json.object { json in
                        json.field("budget_id", standing.budget.id.description)
                        json.field("name", standing.budget.name)
                        json.window("window", window)
                    }
                }
            }
        }
    }

    func listRefusals(_ call: APICall) async throws -> Reply {
        let end = call.query.optionalTimestamp("to") ?? call.now
        let start = call.query.optionalTimestamp("from") ?? end + (.zero - Self.usualReport)
        guard start < end else {
            throw Problem(
                faults: [Problem.Fault("from", "must lie before to")], code: "invalid_range")
        }
        let found = try await budgets.refusals(of: call.principal.organization, from: start, to: end)
        return .json { json in
            json.field("from", start.description)
            json.field("to", end.description)
            json.field("calls", Int(found.reduce(0) { $0 + $1.calls }))
            json.amount("spent", found.reduce(0) { $0 + $1.nanodollars })
            json.array("data") { json in
                for refusals in found {
                    json.object { json in
                        json.field("limit_id", refusals.limit.description)
                        json.field("budget_id", refusals.budget?.description)
                        json.field("name", refusals.name)
                        json.field("subject", refusals.subject)
                        json.field("calls", Int(refusals.calls))
                        json.amount("spent", refusals.nanodollars)
                    }
                }
            }
        }
    }
}
