import Base
import Identity
import JSON

/// The handlers of `OperatorEndpoints`.
extension Gateway {
    func listAllOrganizations(_ call: APICall) async throws -> Reply {
        let limit = call.query.integer("limit")
        let found = try await identity.store.allOrganizations(
            after: call.query.optionalID("after"), limit: limit)
        return .json { json in
            json.list(found, hasMore: found.count == limit) { json, one in json.fields(of: one) }
        }
    }

    func deleteAnyOrganization(_ call: APICall) async throws -> Reply {
        await identity.announce(
            try await identity.store.delete(call.id("organization_id"), by: call.actor))
        return .empty()
    }

    func restoreOrganization(_ call: APICall) async throws -> Reply {
        await identity.announce(
            try await identity.store.restore(call.id("organization_id"), by: call.actor))
        return .empty()
    }

    func listAllAccounts(_ call: APICall) async throws -> Reply {
        let limit = call.query.integer("limit")
        let found = try await identity.store.allAccounts(after: call.query.optionalID("after"), limit: limit)
        return .json { json in
            json.list(found, hasMore: found.count == limit) { json, one in json.fields(of: one) }
        }
    }

    func setAccountDisabled(_ call: APICall, _ isDisabled: Bool) async throws -> Reply {
        let changes = try await identity.store.setDisabled(isDisabled, call.id("user_id"), by: call.actor)
        for change in changes { await identity.announce(change) }
        return .empty()
    }

    func addOperator(_ call: APICall) async throws -> Reply {
        try await identity.store.addOperator(call.id("user_id"), by: call.actor)
        return .empty()
    }

    func removeOperator(_ call: APICall) async throws -> Reply {
        try await identity.store.removeOperator(call.id("user_id"), by: call.actor)
        return .empty()
    }

    func rotateSigningKey(_ call: APICall) async throws -> Reply {
        let key = try await identity.tokens.rotate(by: call.actor)
        return .json(201) { json in json.field("kid", key.description) }
    }
}
