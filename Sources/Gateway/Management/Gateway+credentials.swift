import Base
import Identity
import JSON

/// The handlers of `CredentialEndpoints`. Without an owner they are the instance's.
extension Gateway {
    func listCredentials(_ owner: UUID?) async throws -> Reply {
        let credentials = try await identity.store.credentials(of: owner)
        return .json { json in json.list(credentials) { json, one in json.fields(of: one) } }
    }

    func createCredential(_ call: APICall, _ owner: UUID?) async throws -> Reply {
        let new = NewCredential(
            provider: call.fields.string("provider"), name: call.fields.string("name"),
            baseURL: call.fields.optionalString("base_url"), key: call.fields.secret("api_key"))
        let made = try await identity.store.addCredential(new, of: owner, by: call.actor)
        return .json(201) { json in json.fields(of: made) }
    }

    func showCredential(_ call: APICall, _ owner: UUID?) async throws -> Reply {
        let found = try await identity.store.credential(call.id("credential_id"), of: owner)
        return .json { json in json.fields(of: found) }
    }

    func changeCredential(_ call: APICall, _ owner: UUID?) async throws -> Reply {
        var patch = CredentialPatch()
        patch.name = call.fields.optionalString("name")
        if call.fields.isPresent("base_url") {
            patch.baseURL = .some(call.fields.optionalString("base_url"))
        }
        patch.key = call.fields.optionalSecret("api_key")
        patch.isDisabled = call.fields.optionalBool("disabled")
        let changed = try await identity.store.changeCredential(
            call.id("credential_id"), of: owner, patch, by: call.actor)
        return .json { json in json.fields(of: changed) }
    }

    func deleteCredential(_ call: APICall, _ owner: UUID?) async throws -> Reply {
        try await identity.store.deleteCredential(call.id("credential_id"), of: owner, by: call.actor)
        return .empty()
    }
}
