package import Base

/// What may be done for one request: what the organization's policy and the request's wishes come to.
package struct CacheDecision: Equatable, Sendable {
    /// Whether an answer that is kept may be given.
    package var mayLookUp: Bool
    /// Whether the answer to a question in other words may be given.
    package var maySearch: Bool
    package var mayStore: Bool
    /// Whether it may wait for the answer to the same question that is being given to another, or others for its.
    package var mayJoin: Bool
    /// Whether nobody may be asked: an answer is kept, or the request fails.
    package var mustBeKept: Bool
    /// How long what is stored now is kept.
    package var lifetimeSeconds: Int
    /// No answer that is older is given; what the policy says now holds also for what was stored before.
    package var largestAgeSeconds: Int
    /// No more than this is stored.
    package var largestEntryBytes: Int

    /// `isVaried`: whether the request gives a temperature that is not 0.
    package init(_ policy: CachePolicy, _ wishes: CacheWishes, isVaried: Bool) {
        let isWanted = !isVaried || policy.cachesNonzeroTemperature || wishes.preference == .on
        let isOpen = policy.isEnabled && isWanted && wishes.preference != .off && !wishes.noStore
        let mayBeOld = !wishes.noCache && wishes.largestAgeSeconds != 0
        mayLookUp = isOpen && mayBeOld
        maySearch = mayLookUp && policy.semantic.isEnabled
        mayStore = isOpen && !wishes.onlyIfCached
        // Another's answer may have begun before the request came.
        mayJoin = isOpen && mayBeOld && policy.coalesces && !wishes.onlyIfCached
        mustBeKept = wishes.onlyIfCached
        lifetimeSeconds = policy.lifetimeSeconds
        largestAgeSeconds = min(policy.lifetimeSeconds, wishes.largestAgeSeconds ?? policy.lifetimeSeconds)
        largestEntryBytes = policy.largestEntryBytes
    }

    /// Whether the cache has any part in it.
    package var hasPart: Bool { mayLookUp || mayStore || mayJoin || mustBeKept }

    /// Whether an answer that is kept may be given now.
    package func mayGive(_ answer: CachedAnswer.Keeping, at now: Timestamp) -> Bool {
        mayLookUp && answer.age(at: now) <= .seconds(min(largestAgeSeconds, answer.lifetimeSeconds))
    }
}
