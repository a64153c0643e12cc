import Base
import Identity
import JSON
import Providers

/// The handlers of `CredentialEndpoints`. Without an owner they are the instance's.
extension Gateway {
    func listCredentials(_ owner: UUID?) async throws -> Reply {
        let credentials = try await identity.store.credentials(of: owner)
        return .json { json in json.list(credentials) { json, one in json.fields(of: one) } }
    }

    func createCredential(_ call: APICall, _ owner: UUID?) async throws -> Reply {
        let (baseURL, key) = (call.fields.optionalString("base_url"), call.fields.secret("api_key"))
        let provider = try check(call.fields.string("provider"), baseURL: baseURL, key: key)
        let new = NewCredential(
            provider: provider.name, name: call.fields.string("name"), baseURL: baseURL, key: key)
        let (made, change) = try await identity.store.addCredential(new, of: owner, by: call.actor)
        try await announce(change)
        return .json(201) { json in json.fields(of: made) }
    }

    /// The next request uses what has changed: at every process for an organization's, within seconds for the
    /// instance's.
    private func announce(_ change: KeyChange?) async throws {
        guard let change else { return try await refreshProviders() }
        await identity.announce(change)
        await forgetAnswers(of: change.organization)
    }

    /// The provider that goes by this name. Refuses what no request could be sent with.
    @discardableResult
    private func check(_ provider: String, baseURL: String?, key: Secret?) throws -> ProviderPreset {
        guard let preset = upstreams.provider(named: provider), preset.isSpoken else {
            throw Problem(
                .unprocessable, code: "unknown_provider",
                "There is no provider \"\(provider)\". Known are \(upstreams.names.joined(separator: ", ")).",
                field: "provider")
        }
        do throws(Upstream.Settings.Misfit) {
            _ = try Upstream.Settings(preset, baseURL: baseURL, keys: key.map { [$0] } ?? [])
            return preset
        } catch {
            throw Problem(error, of: preset)
        }
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
        let (changed, change) = try await identity.store.changeCredential(
            call.id("credential_id"), of: owner, patch, by: call.actor
        ) { before in
            let baseURL = patch.baseURL ?? before.baseURL
            // One that loses its key is checked when it gets another.
            guard patch.key != nil || baseURL == before.baseURL else { return }
            try check(before.provider, baseURL: baseURL, key: patch.key)
        }
        try await announce(change)
        return .json { json in json.fields(of: changed) }
    }

    func deleteCredential(_ call: APICall, _ owner: UUID?) async throws -> Reply {
        try await announce(
            try await identity.store.deleteCredential(call.id("credential_id"), of: owner, by: call.actor))
        return .empty()
    }
}

extension Problem {
    fileprivate init(_ misfit: Upstream.Settings.Misfit, of preset: ProviderPreset) {
        func fault(_ field: String, _ message: String) -> Problem {
            Problem(.unprocessable, code: "invalid_body", "\(field): \(message)", field: field)
        }
        self =
            switch misfit {
            case .needsBaseURL, .needsRegion:
                fault("base_url", "is needed, such as \(preset.baseURL ?? "https://provider.example").")
            case .invalidBaseURL: fault("base_url", "must be an http or https URL.")
            case .invalidKey:
                fault("api_key", "must be an access key's id and its secret, with a colon between them.")
            }
    }
}
