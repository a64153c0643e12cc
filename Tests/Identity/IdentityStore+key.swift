import Base
import Identity

extension IdentityStore {
    /// The key itself of a credential.
    func key(ofCredential id: UUID, of organization: UUID?) async throws -> Secret {
        switch try await routingCredentials(of: organization).first(where: { $0.id == id })?.key {
        case .open(let key): return key
        case .shut(let failure): throw failure
        case .missing, nil: throw Problem.notFound("credential")
        }
    }

    /// Every key that opens, by its credential: each read opens all of an organization's.
    func keys(of organization: UUID?) async throws -> [UUID: String] {
        var keys: [UUID: String] = [:]
        for credential in try await routingCredentials(of: organization) {
            if case .open(let key) = credential.key { keys[credential.id] = key.reveal() }
        }
        return keys
    }

    private func routingCredentials(of organization: UUID?) async throws -> [RoutingCredential] {
        guard let organization else { return try await instanceRouting().credentials }
        return try await routing(of: organization).credentials
    }
}
