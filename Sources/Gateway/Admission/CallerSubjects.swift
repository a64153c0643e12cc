import Admission
import Base
import Cache
import Identity
import JSON

/// Whose limits the requests of a caller touch, and what else its organization's terms say. Remembered, because it takes longer to find out than to ask Redis.
// Confined to its loop.
final class CallerSubjects: @unchecked Sendable {
    /// Keys, and models of one, that are remembered.
    private static let largestTable = 10_000
    private static let largestModelTable = 100
    private static let largestManagementTable = 1000

    private let gatekeeper: Gatekeeper
    private var entries = ClockTable<UUID, Entry>(capacity: largestTable)
    /// By organization, of those who say nothing.
    private var unlimited = ClockTable<UUID, SubjectList>(capacity: largestTable)
    /// By organization.
    private var managements = ClockTable<UUID, Management>(capacity: largestManagementTable)

    /// A key's.
    private final class Entry {
        let caller: Caller
        let limits: EffectiveLimits
        let calendar: Admission.Calendar?
        let cachePolicy: CachePolicy?
        var lists = ClockTable<ListKey, SubjectList>(capacity: largestModelTable)

        init(
            _ caller: Caller, _ limits: EffectiveLimits, _ calendar: Admission.Calendar?,
            _ cachePolicy: CachePolicy?
        ) {
            self.cachePolicy = cachePolicy
            self.caller = caller
            self.limits = limits
            self.calendar = calendar
        }
    }

    private struct Management {
        var terms: OrganizationTerms
        var list: SubjectList
        var calendar: Admission.Calendar?
    }

    private struct ListKey: Hashable {
        var model: String?
        var group: EndpointGroup
    }

    init(_ gatekeeper: Gatekeeper) { self.gatekeeper = gatekeeper }

    /// - Parameter model: by its id; nil where no model is asked.
    func subjects(
        of caller: Caller, asking model: String?, in group: EndpointGroup
    ) throws(Problem) -> (list: SubjectList, calendar: Admission.Calendar?) {
        let place = Place.organization(caller.organization)
        if caller.limits == nil, caller.terms == nil {
            return (unlimited(at: place, caller.organization), nil)
        }
        let entry = try entry(of: caller)
        let key = ListKey(model: model, group: group)
        if let known = entry.lists.value(for: key) { return (known, entry.calendar) }
        let limits = entry.limits
        var subjects: [(Subject.Name, Limits)] = [
            (.organization, limits.organization), (.user(caller.user), limits.user),
            (.key(caller.key), limits.key), (.group(group), limits.group(group)),
        ]
        if let model { subjects.append((.model(model), limits.model(model))) }
        let list = gatekeeper.subjects(subjects, at: place)
        entry.lists.set(list, for: key)
        return (list, entry.calendar)
    }

    private func unlimited(at place: Place, _ organization: UUID) -> SubjectList {
        if let known = unlimited.value(for: organization) { return known }
        let list = gatekeeper.subjects([], at: place)
        unlimited.set(list, for: organization)
        return list
    }

    /// Of requests that manage an organization; nil where its rules do not limit them.
    func managing(
        _ organization: UUID, on terms: OrganizationTerms
    ) throws(Problem) -> (list: SubjectList, calendar: Admission.Calendar?)? {
        var entry = managements.value(for: organization)
        if entry?.terms != terms {
            // Groups are limited alike for all users.
            let limits = EffectiveLimits(try .stated(by: terms), user: organization, key: nil)
            let list = gatekeeper.subjects(
                [(.group(.management), limits.group(.management))], at: .organization(organization))
            entry = Management(terms: terms, list: list, calendar: Admission.Calendar(terms))
            entry.map { managements.set($0, for: organization) }
        }
        guard let entry, !entry.list.isEmpty else { return nil }
        return (entry.list, entry.calendar)
    }

    /// What its organization says of answers that are kept; nil: nothing.
    func cachePolicy(of caller: Caller) throws(Problem) -> CachePolicy? {
        if caller.terms?.cachePolicy == nil { return nil }
        return try entry(of: caller).cachePolicy
    }

    private static func cachePolicy(_ json: [UInt8]) throws(Problem) -> CachePolicy {
        do { return try CachePolicy(json: try JSONDocument(parsing: json).root) } catch {
            throw Problem(
                .unavailable, code: "cache_policy_unreadable",
                "This gateway cannot read how the organization's answers are kept: a newer one may have written it. "
                    + "Set it anew.",
                retryAfterSeconds: 30, detail: "\(error)")
        }
    }

    private func entry(of caller: Caller) throws(Problem) -> Entry {
        // Each look-up makes a new caller.
        if let known = entries.value(for: caller.key), known.caller === caller { return known }
        let terms = caller.terms
        let limits = EffectiveLimits(
            try .stated(by: terms), user: caller.user, key: caller.key,
            keyLimits: caller.limits.map { Limits(stored: $0) } ?? Limits())
        let entry = Entry(
            caller, limits, Admission.Calendar(terms),
            try terms?.cachePolicy.map(Self.cachePolicy))
        entries.set(entry, for: caller.key)
        return entry
    }
}
