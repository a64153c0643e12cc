import Catalog
import Identity

/// The models that a caller may name: those of their key that their organization's plan has, too.
struct ModelRights {
    /// nil: all.
    var key: AllowedModels?
    var plan: AllowedModels?

    var areAll: Bool { key == nil && plan == nil }

    /// nil: none is left out.
    var filter: ((CatalogModel) -> Bool)? { areAll ? nil : { contains($0) } }

    func contains(_ name: String) -> Bool { key?.contains(name) ?? true && plan?.contains(name) ?? true }

    func contains(_ model: CatalogModel) -> Bool {
        key?.contains(model) ?? true && plan?.contains(model) ?? true
    }

    /// By the name that was asked for, or by any other of its own.
    func contains(_ model: CatalogModel, named name: String) -> Bool {
        func isIn(_ models: AllowedModels?) -> Bool {
            models.map { $0.contains(name) || $0.contains(model) } ?? true
        }
        return isIn(key) && isIn(plan)
    }
}

extension Caller {
    var modelRights: ModelRights { ModelRights(key: allowedModels, plan: terms?.planRights?.models) }
}

extension Principal {
    /// A session shows the whole catalogue.
    var modelRights: ModelRights {
        if case .key(let caller) = credential { caller.modelRights } else { ModelRights() }
    }
}
