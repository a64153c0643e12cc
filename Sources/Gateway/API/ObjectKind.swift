/// What an identifier in a path names. Tests make one of their own, one of another organization and one of nobody for
/// each kind, and try every endpoint with all three.
package enum ObjectKind: String, CaseIterable, Sendable {
    case organization, member, apiKey, session, invitation, credential, subscription, invoice, budget
    /// What only an operator reaches, wherever it belongs.
    case anyOrganization, user, platformCredential, anyInvoice, anyPayment
}
