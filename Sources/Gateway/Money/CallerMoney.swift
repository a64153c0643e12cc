import Admission
import Base
import Identity

/// A limit on money that a request touches.
struct TouchedLimit: Equatable, Sendable {
    var id: UUID
    /// What was paid for; otherwise a budget.
    var isWallet: Bool
    /// Whether it only counts: nothing is held of it, and it refuses nobody.
    var isSoft = false
    var subject: LimitSubject
    /// When a budget ends, and another may begin; nil: never.
    var end: Timestamp?
}

/// Which limits on money the requests of a caller touch. Remembered, because they are names in a document.
// Confined to its loop.
final class CallerMoney: @unchecked Sendable {
    /// Keys that are remembered.
    private static let largestTable = 10_000

    /// By key.
    private var entries = ClockTable<UUID, Entry>(capacity: largestTable)

    private struct Entry {
        var caller: Caller
        /// Those that may be the caller's: whose model is asked is not known yet.
        var limits: [(limit: TouchedLimit, window: Range<Timestamp>?)]
        /// Whether some are about what clients say.
        var readsTags = false
    }

    /// The limits of the organization, the user, the key, the model, the endpoints and the tags that are good now, in the
    /// order of their ids; none for most callers.
    ///
    /// - Parameters:
    ///   - model: by its id.
    ///   - tags: what the client says that it is about; asked only where a limit is about that.
    func limits(
        of caller: Caller, asking model: String, in group: EndpointGroup, tags: () -> [UInt8]? = { nil },
        at now: Timestamp
    ) throws(Problem) -> [TouchedLimit] {
        guard let terms = caller.terms, !terms.moneyLimits.isEmpty else { return [] }
        let entry = try entry(of: caller, terms)
        let said = entry.readsTags ? RequestTags.texts(of: tags()) : []
        return entry.limits.compactMap { limit, window in
            if let window, !window.contains(now) { return nil }
            return switch limit.subject {
            case .model(let name): name == model ? limit : nil
            case .group(let one): one == group ? limit : nil
            case .tag(let tag): said.contains(tag) ? limit : nil
            default: limit
            }
        }
    }

    private func entry(of caller: Caller, _ terms: OrganizationTerms) throws(Problem) -> Entry {
        // Each look-up makes a new caller.
        if let known = entries.value(for: caller.key), known.caller === caller { return known }
        var entry = Entry(caller: caller, limits: [])
        for term in terms.moneyLimits {
            guard let subject = LimitSubject(ofMoney: term.subject) else {
                throw Self.unreadable(term.subject)
            }
            if case .user(let user) = subject, user != caller.user { continue }
            if case .key(let key) = subject, key != caller.key { continue }
            if case .tag = subject { entry.readsTags = true }
            let limit = TouchedLimit(
                id: term.id, isWallet: term.isWallet, isSoft: term.isSoft, subject: subject,
                end: term.window?.upperBound)
            entry.limits.append((limit, term.window))
        }
        entries.set(entry, for: caller.key)
        return entry
    }

    /// Nobody spends on a guess.
    private static func unreadable(_ subject: String) -> Problem {
        Problem(
            .unavailable, code: "money_limits_unreadable",
            "This gateway cannot read whose a limit on the organization's money is: a newer one may have written it. "
                + "Try again later.",
            retryAfterSeconds: 30, detail: "subject \(subject)")
    }
}
