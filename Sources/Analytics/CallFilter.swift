package import Base
import Postgres

/// Which calls are wanted. All that is said must hold.
package struct CallFilter: Sendable {
    /// Of one of its attempts, or as the client named it.
    package var model: String?
    /// Of one of its attempts.
    package var provider: String?
    package var key: UUID?
    package var user: UUID?
    package var outcome: Outcome?
    package var tag: (name: String, value: String)?
    package var start: Timestamp?
    package var end: Timestamp?
    /// Only calls that were let in before this one.
    package var before: UUID?

    package enum Outcome: String, CaseIterable, Sendable {
        case answered, failed, abandoned, kept, orphaned
    }

    package init() {}

    func condition(_ organization: UUID) -> SQL {
        var conditions: [SQL] = ["call.org_id = \(organization)", "call.is_last"]
        if let model {
            conditions.append(
                "(call.asked_model = \(model) OR \(Self.attempt(organization, "one.model = \(model)")))")
        }
        if let provider { conditions.append(Self.attempt(organization, "one.provider = \(provider)")) }
        if let key { conditions.append("call.key_id = \(key)") }
        if let user { conditions.append("call.user_id = \(user)") }
        if let outcome { conditions.append("call.outcome = \(outcome.rawValue)") }
        if let tag { conditions.append("call.tags ->> \(tag.name)::text = \(tag.value)") }
        if let start { conditions.append("call.at >= \(start)") }
        if let end { conditions.append("call.at < \(end)") }
        if let before { conditions.append("call.id < \(before)") }
        return .joined(conditions, by: " AND ")
    }

    private static func attempt(_ organization: UUID, _ condition: SQL) -> SQL {
        "EXISTS (SELECT FROM usage_events AS one WHERE one.org_id = \(organization) AND one.id = call.id AND \(condition))"
    }
}
