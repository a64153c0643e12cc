package import Admission
package import Base
package import Catalog

/// What organizations may choose from: what it limits, what it costs, what belongs to it.
package struct Plan: Equatable, Sendable {
    package var name: String
    package var title: String
    package var limits: LimitRules
    /// For one interval, in US cents.
    package var cents: Int64
    package var interval: BillingInterval
    package var trialDays = 0
    /// How many models one request may be sent to; nil: any number.
    package var modelsPerRequest: Int?
    /// The models that it has, by any of their names; nil: all.
    package var models: [String]?
    /// Names of what else belongs to it: `sso`, `audit_export`.
    package var features: [String] = []
    /// nil: none.
    package var commission: Commission?
    /// Its price is agreed upon with each customer: nobody subscribes to it by themselves.
    package var isCustom = false
    /// Where it stands among the others.
    package var position = 0
    /// Whoever has it keeps it; nobody else gets it.
    package var isArchived = false
    package var source = Source.hivegate

    /// Who said last what it is. What an operator has said no release changes.
    package enum Source: String, Sendable { case hivegate, `operator` }

    package init(
        _ name: String, _ title: String, cents: Int64, every interval: BillingInterval = .month,
        limits: LimitRules = LimitRules()
    ) {
        self.name = name
        self.title = title
        self.cents = cents
        self.interval = interval
        self.limits = limits
    }

    /// As it is now, for somebody who chooses it.
    package var subscribed: SubscribedPlan {
        SubscribedPlan(name, title: title, cents: cents, every: interval)
    }

    // MARK: What it may be

    package static let mostModels = 1000
    package static let mostFeatures = 50
    package static let mostTrialDays = 365
    package static let mostModelsPerRequest = 100

    /// All that is wrong with it. The limits were checked when they were read.
    package var faults: [Problem.Fault] {
        var faults: [Problem.Fault] = []
        func check(_ isGood: Bool, _ field: String, _ message: String) {
            if !isGood { faults.append(Problem.Fault(field, message)) }
        }
        check(
            Self.isName(name), "name",
            "must be 1 to 64 of a to z, 0 to 9, \"-\" and \"_\", with a letter or digit in front")
        check((1...200).contains(title.unicodeScalars.count), "title", "must have 1 to 200 characters")
        check(!title.utf8.contains(0), "title", "must not have a NUL in it")
        check(
            (0...SubscribedPlan.mostCents).contains(cents), "price_cents",
            "must be between 0 and \(SubscribedPlan.mostCents)")
        check(
            (0...Self.mostTrialDays).contains(trialDays), "trial_days",
            "must be between 0 and \(Self.mostTrialDays)")
        check(
            modelsPerRequest.map { (1...Self.mostModelsPerRequest).contains($0) } ?? true,
            "models_per_request", "must be between 1 and \(Self.mostModelsPerRequest), or null")
        check(
            models.map { (1...Self.mostModels).contains($0.count) } ?? true, "models",
            "must be 1 to \(Self.mostModels) names of models, or null")
        check(
            features.count <= Self.mostFeatures && features.allSatisfy(Self.isName), "features",
            "must be at most \(Self.mostFeatures) names of a to z, 0 to 9, \"-\" and \"_\"")
        if let commission {
            let most = Commission.mostPoints(commission.mode)
            check(
                (0...most).contains(commission.points), "commission.basis_points",
                "must be between 0 and \(most)")
        }
        return faults
    }

    private static func isName(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count), let first = name.utf8.first else { return false }
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
        }
        return isLetterOrDigit(first)
            && name.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 0x2D || $0 == 0x5F }
    }
}
