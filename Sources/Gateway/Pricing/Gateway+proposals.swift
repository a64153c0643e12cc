import Base
import Catalog
import Identity
import JSON

/// The handlers of `ProposalEndpoints`.
extension Gateway {
    func listProposals(_ call: APICall) async throws -> Reply {
        let limit = call.query.integer("limit")
        let found = try await identity.store.readInstance { transaction in
            try await CatalogStore.proposals(
                call.query.optionalChoice("state", as: PriceProposal.State.self),
                after: call.query.optionalID("after"), limit: limit, transaction)
        }
        return .json { json in
            json.list(found, hasMore: found.count == limit) { json, one in json.fields(of: one) }
        }
    }

    func decideProposal(_ call: APICall, isApproved: Bool) async throws -> Reply {
        guard let id = UUID(call.text("proposal_id")) else { throw Problem.nothingHere }
        do {
            let proposal = try await identity.store.decide(
                id, isApproved: isApproved, at: call.now, by: call.actor)
            try await refreshCatalog()
            return .json { json in json.fields(of: proposal) }
        } catch let fault as PriceProposal.Fault {
            throw Problem(fault)
        }
    }

    /// So that this process knows of a price before it is answered.
    package func refreshCatalog() async throws {
        try await catalog.refresh(from: CatalogStore(identity.store.pool))
    }
}

extension Problem {
    fileprivate init(_ fault: PriceProposal.Fault) {
        switch fault {
        case .absent: self = .notFound("proposal")
        case .decided: self.init(.conflict, code: "already_decided", fault.description)
        case .priceChanged: self.init(.conflict, code: "price_changed", fault.description)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func fields(of proposal: PriceProposal) {
        field("id", proposal.id.description)
        field("model", proposal.model)
        field("source", proposal.source)
        object("price") { $0.amounts(of: proposal.price) }
        array("reasons") { json in
            for reason in proposal.reasons {
                json.object { json in
                    json.field("code", reason.kind.rawValue)
                    json.field("price", reason.column.rawValue)
                    json.field("other_source", reason.other)
                }
            }
        }
        field("state", proposal.state.rawValue)
        field("proposed_at", proposal.proposedAt.description)
        field("proposed_by", proposal.proposedBy)
        field("decided_at", proposal.decidedAt?.description)
        field("decided_by", proposal.decidedBy)
    }
}
