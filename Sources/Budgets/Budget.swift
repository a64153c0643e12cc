package import Admission
package import Base

/// What somebody wants to be spent at most in each span of time.
package struct Budget: Equatable, Sendable {
    package let id: UUID
    package let organization: UUID
    package var name: String
    /// Whose requests it is about.
    package let subject: LimitSubject
    package let period: BudgetPeriod
    package var nanodollars: Int64
    /// Whether it only counts, and refuses nobody.
    package var isSoft: Bool
    /// In percent of the amount, in their order.
    package var thresholds: [Int]
    /// Who is told of them.
    package var emails: [String]
    package var webhookURL: String?
    /// What holds instead of the amount for a while.
    package var override: Override?
    /// nil: the instance.
    package let creator: UUID?
    package let createdAt: Timestamp
    package var archivedAt: Timestamp?

    package struct Override: Equatable, Sendable {
        package var nanodollars: Int64
        package var until: Timestamp

        package init(nanodollars: Int64, until: Timestamp) {
            self.nanodollars = nanodollars
            self.until = until
        }
    }

    package static let usualThresholds = [50, 80, 95, 100]
    package static let mostThresholds = 10
    package static let highestThreshold = 1000
    package static let mostEmails = 10
    package static let longestSubject = 300
    /// 100,000,000 dollars.
    package static let most: Int64 = 100_000_000_000_000_000

    /// What may be spent in a window, as of a moment in it.
    func cap(at moment: Timestamp) -> Int64 {
        guard let override, override.until > moment else { return nanodollars }
        return override.nanodollars
    }
}

/// How long a window is. Days, weeks and months are those of the organization's time zone.
package enum BudgetPeriod: String, CaseIterable, Sendable {
    case day
    /// From Monday.
    case week
    case month
    /// One window, which has no beginning and no end.
    case total
}

/// What a new budget is.
package struct NewBudget: Sendable {
    package var name: String
    package var subject: LimitSubject
    package var period: BudgetPeriod
    package var nanodollars: Int64
    package var isSoft = false
    package var thresholds = Budget.usualThresholds
    package var emails: [String] = []
    package var webhookURL: String?

    package init(
        _ name: String, of subject: LimitSubject = .organization, each period: BudgetPeriod,
        nanodollars: Int64, _ change: (inout NewBudget) -> Void = { _ in }
    ) {
        self.name = name
        self.subject = subject
        self.period = period
        self.nanodollars = nanodollars
        change(&self)
    }
}

/// What of a budget is to be changed; nil leaves it.
package struct BudgetPatch: Sendable {
    package var name: String?
    package var nanodollars: Int64?
    package var isSoft: Bool?
    package var thresholds: [Int]?
    package var emails: [String]?
    /// Another address has another secret.
    package var webhookURL: String??

    package init(_ change: (inout BudgetPatch) -> Void = { _ in }) { change(&self) }
}
