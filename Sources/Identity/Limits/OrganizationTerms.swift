package import Base
import Postgres

/// On which terms an organization works here: what limits it, how long its months are, what is kept of its answers, and
/// which money it may spend.
/// The documents are as the database holds them; who reads them is above this.
///
/// An object, because all callers of an organization share one.
package final class OrganizationTerms: Sendable {
    /// nil: none.
    package let plan: String?
    package let planLimits: [UInt8]?
    /// What its plan lets a request do; nil: anything.
    package let planRights: PlanRights?
    /// The operator's.
    package let limitOverrides: [UInt8]?
    /// The organization's own.
    package let limits: [UInt8]?
    package let timeZone: String
    package let cachePolicy: [UInt8]?
    /// The month in which this was read and the two after it, in the organization's zone.
    package let months: [CalendarMonth]
    /// Its limits on money that had not ended when this was read, in the order of their ids.
    package let moneyLimits: [MoneyTerm]

    /// Its own prices that had not ended when this was read, by model; none for most organizations.
    package let prices: [String: [PriceTerm]]

    /// What is taken on top of what its requests cost, in hundredths of a percent, and how that is meant; nil: nobody says.
    package let commissionPoints: Int?
    package let commissionMode: String?
    /// Until then its budgets refuse nobody.
    package let budgetsEnforcedFrom: Timestamp?

    package static let usualZone = "UTC"

    package init(
        plan: String? = nil, planLimits: [UInt8]? = nil, planRights: PlanRights? = nil,
        limitOverrides: [UInt8]? = nil, limits: [UInt8]? = nil, timeZone: String = usualZone,
        cachePolicy: [UInt8]? = nil,
        months: [CalendarMonth] = [], moneyLimits: [MoneyTerm] = [],
        prices: [String: [PriceTerm]] = [:], commissionPoints: Int? = nil, commissionMode: String? = nil,
        budgetsEnforcedFrom: Timestamp? = nil
    ) {
        self.plan = plan
        self.planLimits = planLimits
        self.planRights = planRights
        self.limitOverrides = limitOverrides
        self.limits = limits
        self.timeZone = timeZone
        self.cachePolicy = cachePolicy
        self.months = months
        self.moneyLimits = moneyLimits
        self.prices = prices
        self.commissionPoints = commissionPoints
        self.commissionMode = commissionMode
        self.budgetsEnforcedFrom = budgetsEnforcedFrom
    }

    /// Whether they say nothing: as those of an organization of which nobody has said anything.
    var areUsual: Bool { self == OrganizationTerms() }

    // MARK: In the database

    typealias Columns = (
        String?, PostgresJSON?, PostgresJSON?, PostgresJSON?, PostgresJSON?, String, PostgresJSON?, [Int64]?,
        PostgresJSON?, PostgresJSON?, Int32?, String?, Timestamp?
    )

    /// Of `organizations` and `plans`, joined. A key's own limits may need the months where nothing else says anything;
    /// where something does they are there for all keys, which so have the same terms.
    static func columns(keyNeedsMonths: Bool) -> SQL {
        """
        plan, plans.limits, \(PlanRights.column), limit_overrides, organizations.limits, time_zone, cache_policy,
        CASE WHEN \(keyNeedsMonths) OR time_zone <> \(usualZone)
            OR num_nonnulls(plan, limit_overrides, organizations.limits, cache_policy) > 0
        THEN month_starts(time_zone, now()) END, \(MoneyTerm.column), \(PriceTerm.column),
        COALESCE(organizations.commission_points, plans.commission_points),
        COALESCE(organizations.commission_mode, plans.commission_mode), budgets_enforced_from
        """
    }

    /// nil where they say nothing.
    static func reading(_ columns: Columns) throws(PostgresError) -> OrganizationTerms? {
        let (
            plan, planLimits, rights, overrides, limits, zone, cachePolicy, months, moneyLimits, prices,
            points,
            mode, enforcedFrom
        ) =
            columns
        let terms = OrganizationTerms(
            plan: plan, planLimits: planLimits?.bytes, planRights: try PlanRights.reading(rights),
            limitOverrides: overrides?.bytes,
            limits: limits?.bytes, timeZone: zone, cachePolicy: cachePolicy?.bytes,
            months: (months ?? []).map { CalendarMonth(startingAt: Timestamp(microseconds: $0)) },
            moneyLimits: try MoneyTerm.reading(moneyLimits), prices: try PriceTerm.reading(prices),
            commissionPoints: points.map(Int.init), commissionMode: mode, budgetsEnforcedFrom: enforcedFrom)
        return terms.areUsual ? nil : terms
    }

    /// Whether a document of limits may have one that is counted by the month.
    static func mayNeedMonths(_ limits: [UInt8]?) -> Bool {
        limits.map { String(decoding: $0, as: UTF8.self).contains("_per_month") } ?? false
    }
}

extension OrganizationTerms: Equatable {
    package static func == (left: OrganizationTerms, right: OrganizationTerms) -> Bool {
        left === right
            || left.plan == right.plan && left.planLimits == right.planLimits
                && left.planRights == right.planRights
                && left.limitOverrides == right.limitOverrides && left.limits == right.limits
                && left.timeZone == right.timeZone && left.cachePolicy == right.cachePolicy
                && left.months == right.months && left.moneyLimits == right.moneyLimits
                && left.prices == right.prices && left.commissionPoints == right.commissionPoints
                && left.commissionMode == right.commissionMode
                && left.budgetsEnforcedFrom == right.budgetsEnforcedFrom
    }
}
