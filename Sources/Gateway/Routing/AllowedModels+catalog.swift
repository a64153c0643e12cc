import Catalog
import Identity

extension AllowedModels {
    /// Whether a key that is for one of the model's names is for the model.
    func contains(_ model: CatalogModel) -> Bool { model.names.contains(where: contains) }
}
