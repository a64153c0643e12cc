import Base
import JSON
import Postgres

/// What a plan lets a request do, beside what it limits.
package struct PlanRights: Equatable, Sendable {
    /// How many models one request may name; nil: any number.
    package let modelsPerRequest: Int?
    /// The models that it has, by any of their names; nil: all.
    package let models: AllowedModels?
    /// Names of what else belongs to it: `sso`, `audit_export`.
    package let features: [String]

    package init(modelsPerRequest: Int? = nil, models: AllowedModels? = nil, features: [String] = []) {
        self.modelsPerRequest = modelsPerRequest
        self.models = models
        self.features = features
    }

    // MARK: In the database

    /// Of `plans`; NULL where there is none.
    static let column: SQL = """
        CASE WHEN plans.name IS NOT NULL THEN jsonb_build_object('models_per_request', plans.models_per_request,
            'models', plans.allowed_models, 'features', plans.features) END
        """

    static func reading(_ object: PostgresJSON?) throws(PostgresError) -> PlanRights? {
        guard let object else { return nil }
        let document: JSONDocument
        do throws(JSONError) { document = try JSONDocument(parsing: object.bytes) } catch {
            throw PostgresError(.decoding, "rights of a plan that cannot be read")
        }
        let models = document["models"].flatMap {
            $0.isNull ? nil : AllowedModels($0.elements.compactMap(\.string))
        }
        return PlanRights(
            modelsPerRequest: document["models_per_request"]?.int, models: models,
            features: document["features"]?.elements.compactMap(\.string) ?? [])
    }
}
