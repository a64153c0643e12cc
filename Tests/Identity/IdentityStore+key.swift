import Base
import Identity

extension IdentityStore {
    /// The key itself of a credential.
    func key(ofCredential id: UUID, of organization: UUID?) async throws -> Secret {
        let credentials =
            if let organization {
                try await routing(of: organization).credentials
            } else {
                try await instanceRouting().credentials
            }
        switch credentials.first(where: { $0.id == id })?.key {
        case .open(let key): return key
        case .shut(let failure): throw failure
        case .missing, nil: throw Problem.notFound("credential")
        }
    }
}
