import Base

/// Lets the callers of an organization share one object of its terms: rules can be long, and keys many.
final class TermsMemory: Sendable {
    private let known: Locked<ClockTable<UUID, OrganizationTerms>>

    init(capacity: Int = 10_000) { known = Locked(ClockTable(capacity: capacity)) }

    /// The same terms, as the object that is known already if there is one.
    func shared(_ terms: OrganizationTerms?, of organization: UUID) -> OrganizationTerms? {
        guard let terms else { return nil }
        return known.withLock { known in
            if let same = known.value(for: organization), same == terms { return same }
            known.set(terms, for: organization)
            return terms
        }
    }
}
