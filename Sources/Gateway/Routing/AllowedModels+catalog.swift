import Catalog
import Identity

extension AllowedModels {
    /// Whether a key that is for one of the model's names is for the model.
    func contains(_ model: CatalogModel) -> Bool { model.names.contains(where: contains) }
}

extension Principal {
    /// The models that a key is for; nil: all, as for every session.
    var allowedModels: AllowedModels? {
        if case .key(let caller) = credential { caller.allowedModels } else { nil }
    }
}
