import Admission
import Base
import HTTPServer
import HTTPWire
import Identity

/// Requests that no key admits: those of nobody known, and those that manage an organization.
extension Gateway {
    /// Counts a request for the address that it comes from, where nobody is known for whom it could count.
    func admitAddress(of exchange: Exchange) async throws {
        guard limits.addressRequestsPerMinute > 0,
            let address = clientAddress(of: exchange, trusting: trustedNetworks)
        else { return }
        let limits = Admission.Limits(requests: .init(minute: limits.addressRequestsPerMinute))
        let subjects = gatekeeper.subjects(limits, from: address)
        _ = try await admit(AdmissionRequest(subjects, generation: nil), exchange)
    }

    /// Counts a request that manages, where the organization's rules limit those; nil where they do not. Whoever has
    /// the permit settles it.
    func admitManagement(by principal: Principal, _ exchange: Exchange) async throws -> Permit? {
        let terms = try await terms(of: principal)
        guard let terms, let (list, calendar) = try subjects.managing(principal.organization, on: terms)
        else { return nil }
        return try await admit(AdmissionRequest(list, generation: nil, calendar: calendar), exchange)
    }

    private func admit(_ request: AdmissionRequest, _ exchange: Exchange) async throws -> Permit? {
        switch await gatekeeper.admit(request).verdict {
        case .admitted(let permit):
            tell(permit.standing, isLocal: permit.isLocal, exchange)
            return permit
        case .refused(let refusal):
            tell(refusal.standing, isLocal: refusal.isLocal, exchange)
            throw Problem(refusal)
        // Without a key there is no generation, and these are not paid for.
        case .outdated, .unfunded: return nil
        }
    }
}
