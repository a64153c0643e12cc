package import Base
package import Catalog
package import Identity
import JSON

extension IdentityStore {
    /// Says what becomes of a price that an import has not applied, and writes down that it was done.
    package func decide(
        _ id: UUID, isApproved: Bool, at now: Timestamp, by actor: Actor
    ) async throws -> PriceProposal {
        // What is proposed never changes, only what became of it.
        let proposal = try await readInstance { try await CatalogStore.proposal(id, $0) }
        var json = JSONWriter()
        json.object { json in
            json.field("model", proposal.model)
            json.object("price") { $0.amounts(of: proposal.price) }
            json.field("source", proposal.source)
        }
        try await changeInstance(
            isApproved ? "price.approve" : "price.reject", "price_proposal", id.description,
            after: String(decoding: json.bytes, as: UTF8.self), by: actor
        ) { transaction in
            if isApproved {
                try await CatalogStore.approve(id, at: now, by: actor.name, transaction)
            } else {
                try await CatalogStore.reject(id, at: now, by: actor.name, transaction)
            }
        }
        return try await readInstance { try await CatalogStore.proposal(id, $0) }
    }
}
