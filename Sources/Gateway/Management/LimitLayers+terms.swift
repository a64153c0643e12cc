import Admission
import Base
import Identity

extension Admission.Calendar {
    /// The months of an organization; nil where nothing of it needs any.
    init?(_ terms: OrganizationTerms?) {
        guard let months = terms?.months, !months.isEmpty else { return nil }
        self.init(starts: months.map { (index: $0.index, start: $0.start) })
    }
}

extension LimitLayers {
    /// What the terms of an organization say. Throws where a newer gateway has written what this one cannot read: then
    /// it is not known what holds.
    static func stated(by terms: OrganizationTerms?) throws(Problem) -> LimitLayers {
        do throws(Problem) {
            guard let terms else { return .empty }
            return try LimitLayers(
                plan: terms.planLimits, overrides: terms.limitOverrides, own: terms.limits)
        } catch {
            throw Problem(
                .unavailable, code: "limits_unreadable",
                "This gateway cannot read the organization's limits: a newer one may have written them. Set them anew.",
                retryAfterSeconds: 30, detail: "\(error)")
        }
    }
}
