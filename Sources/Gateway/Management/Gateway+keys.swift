import Base
import Identity
import JSON
import Postgres

/// The handlers of `KeyEndpoints`.
extension Gateway {
    func listKeys(_ call: APICall) async throws -> Reply {
        let keys = try await identity.store.keys(of: call.principal.organization)
        return .json { json in json.list(keys) { json, key in json.fields(of: key) } }
    }

    func showKey(_ call: APICall) async throws -> Reply {
        let key = try await identity.store.key(call.id("key_id"), of: call.principal.organization)
        return .json { json in json.fields(of: key) }
    }

    func createKey(_ call: APICall) async throws -> Reply {
        let scopes = call.fields.strings("scopes")
        try Self.refuseMore(scopes, than: call.principal)
        let new = NewKey(
            name: call.fields.string("name"), scopes: scopes,
            allowedModels: call.fields.optionalStrings("allowed_models"),
            limits: Self.limits(call.fields) ?? PostgresJSON("{}"),
            expiresAt: try Self.expiry(call))
        let (key, stored) = try await identity.store.makeKey(
            new, for: call.principal.user, of: call.principal.organization, by: call.actor)
        return Self.reply(with: key, stored)
    }

    func changeKey(_ call: APICall) async throws -> Reply {
        var patch = KeyPatch()
        patch.name = call.fields.optionalString("name")
        patch.scopes = call.fields.optionalStrings("scopes")
        if let scopes = patch.scopes { try Self.refuseMore(scopes, than: call.principal) }
        if call.fields.isPresent("allowed_models") {
            patch.allowedModels = .some(call.fields.optionalStrings("allowed_models"))
        }
        patch.limits = Self.limits(call.fields)
        if call.fields.isPresent("expires_at") { patch.expiresAt = .some(try Self.expiry(call)) }
        let principal = call.principal
        let (stored, change) = try await identity.store.changeKey(
            call.id("key_id"), of: principal.organization, patch, by: call.actor,
            where: { try Self.refuse($0, to: principal) })
        await identity.announce(change)
        return .json { json in json.fields(of: stored) }
    }

    func rotateKey(_ call: APICall) async throws -> Reply {
        let principal = call.principal
        let (key, stored, change) = try await identity.store.rotateKey(
            call.id("key_id"), of: principal.organization,
            overlap: .seconds(call.fields.integer("overlap_seconds")), by: call.actor,
            where: { key in
                try Self.refuse(key, to: principal)
                try Self.refuseMore(key.scopes, than: principal)
            })
        await identity.announce(change)
        return Self.reply(with: key, stored)
    }

    func revokeKey(_ call: APICall) async throws -> Reply {
        let principal = call.principal
        let change = try await identity.store.revokeKey(
            call.id("key_id"), of: principal.organization, by: call.actor,
            where: { try Self.refuse($0, to: principal) })
        await identity.announce(change)
        return .empty()
    }

    /// Another member's key takes a permission of its own.
    private static func refuse(_ key: StoredKey, to principal: Principal) throws {
        guard key.user == principal.user || principal.may(.manageKeys) else {
            throw Problem.forbidden(.manageKeys, principal.role)
        }
    }

    /// A key makes no key that may do more than itself.
    private static func refuseMore(_ scopes: [String], than principal: Principal) throws {
        guard case .key(let caller) = principal.credential else { return }
        guard caller.scopes.isSuperset(of: KeyScopes(names: scopes)) else {
            throw Problem(
                .unprocessable, code: "invalid_body",
                "A key can give another only the scopes that it has itself.", field: "scopes")
        }
    }

    private static func limits(_ fields: Fields) -> PostgresJSON? {
        fields.value("limits").map { PostgresJSON($0.canonical()) }
    }

    private static func expiry(_ call: APICall) throws -> Timestamp? {
        guard let end = call.fields.optionalTimestamp("expires_at") else { return nil }
        guard end > call.now else {
            throw Problem(
                .unprocessable, code: "invalid_body", "The time is past. Name one to come.",
                field: "expires_at")
        }
        return end
    }

    private static func reply(with key: APIKey, _ stored: StoredKey) -> Reply {
        .json(201) { json in
            json.fields(of: stored)
            json.field("key", key.secret.reveal())
        }
    }
}
