import Base
import Identity

/// What belongs to some plans only.
enum PlanFeature: String {
    case singleSignOn = "sso"
    case auditExport = "audit_export"

    fileprivate var words: String {
        switch self {
        case .singleSignOn: "single sign-on"
        case .auditExport: "the audit trail as a table"
        }
    }
}

extension Gateway {
    /// Throws where the plan of the caller's organization does not have a feature. Who has no plan has all of them, and so has
    /// everybody where plans are only limits, because nobody pays.
    func require(_ feature: PlanFeature, for call: APICall) async throws {
        guard billing != nil, let terms = try await terms(of: call.principal), let rights = terms.planRights,
            !rights.features.contains(feature.rawValue)
        else { return }
        var problem = Problem(
            .forbidden, code: "feature_not_in_tier",
            "The plan \"\(terms.plan ?? "")\" does not have \(feature.words). Change to one with \"\(feature.rawValue)\" among its "
                + "features: GET /api/v1/billing/tiers lists them.")
        problem.limitSource = "plan:features"
        throw problem
    }
}
