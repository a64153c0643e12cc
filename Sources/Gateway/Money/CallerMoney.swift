import Admission
import Base
import Identity

/// A limit on money that a request touches.
struct TouchedLimit: Equatable, Sendable {
    var id: UUID
    /// What was paid for; otherwise a budget.
    var isWallet: Bool
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
    }

    /// The limits of the organization, the user, the key, the model and the endpoints that are good now, in the order of
    /// their ids; none for most callers.
    ///
    /// - Parameter model: by its id.
    func limits(
        of caller: Caller, asking model: String, in group: EndpointGroup, at now: Timestamp
    ) throws(Problem) -> [TouchedLimit] {
        guard let terms = caller.terms, !terms.moneyLimits.isEmpty else { return [] }
        return try entry(of: caller, terms).limits.compactMap { limit, window in
            if let window, !window.contains(now) { return nil }
            return switch limit.subject {
            case .model(let name): name == model ? limit : nil
            case .group(let one): one == group ? limit : nil
            default: limit
            }
        }
    }

    private func entry(of caller: Caller, _ terms: OrganizationTerms) throws(Problem) -> Entry {
        // Each look-up makes a new caller.
        if let known = entries.value(for: caller.key), known.caller === caller { return known }
        var entry = Entry(caller: caller, limits: [])
        for term in terms.moneyLimits {
            guard let subject = LimitSubject(moneyTerm: term.subject) else {
                throw Self.unreadable(term.subject)
            }
            if case .user(let user) = subject, user != caller.user { continue }
            if case .key(let key) = subject, key != caller.key { continue }
            let limit = TouchedLimit(
                id: term.id, isWallet: term.isWallet, subject: subject, end: term.window?.upperBound)
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

extension LimitSubject {
    /// As the database has it.
    fileprivate init?(moneyTerm text: String) {
        if text == "organization" {
            self = .organization
            return
        }
        guard let colon = text.utf8.firstIndex(of: 0x3A) else { return nil }
        let name = text[text.index(after: colon)...]
        switch text[..<colon] {
        case "user": if let user = UUID(name) { self = .user(user) } else { return nil }
        case "key": if let key = UUID(name) { self = .key(key) } else { return nil }
        case "model": self = .model(String(name))
        case "group":
            if let group = EndpointGroup(rawValue: String(name)) { self = .group(group) } else { return nil }
        default: return nil
        }
    }
}
