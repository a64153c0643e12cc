import Base
import Catalog
import Identity

extension PlanRights {
    /// Throws where a request names more models than the plan lets it.
    func mayName(_ count: Int) throws(Problem) {
        guard let most = modelsPerRequest, count > most else { return }
        var problem = Problem(
            .forbidden, code: "model_not_in_tier",
            "The organization's plan lets a request name \(most) models, with the one in \"model\", and this one names \(count). "
                + "Name fewer, or change to a plan that allows more: GET /api/v1/billing/tiers lists them.",
            field: "models")
        problem.limitSource = "plan:models_per_request"
        throw problem
    }
}
