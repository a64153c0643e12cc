import Base
import Identity

extension IdentityStore {
    /// The key itself of a credential that can be used.
    func key(ofCredential id: UUID, of organization: UUID?) async throws -> Secret {
        let credentials =
            if let organization {
                try await routing(of: organization).credentials
            } else {
                try await instanceRouting().credentials
            }
        guard let found = credentials.first(where: { $0.id == id }) else {
            throw Problem.notFound("credential")
        }
        return found.key
    }
}
