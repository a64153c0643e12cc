import Base
import Cache
import Chat
import Testing

struct CacheDecisionTests {
    private func wishes(_ cacheControl: String..., preference: String? = nil) -> CacheWishes {
        CacheWishes(
            cacheControl: cacheControl.map { Array($0.utf8)[...] },
            preference: preference.map { Array($0.utf8)[...] })
    }

    // MARK: What is wished

    @Test func `who says nothing wishes nothing`() {
        #expect(wishes() == CacheWishes())
        #expect(wishes("") == CacheWishes())
        #expect(wishes(" , ,,\t") == CacheWishes())
        #expect(wishes("public, max-stale=5, min-fresh=3, no-transform, x=\"no-store\"") == CacheWishes())
    }

    @Test func `directives are read as a list, in any case and from several fields`() {
        var all = CacheWishes()
        (all.noCache, all.noStore, all.onlyIfCached, all.largestAgeSeconds) = (true, true, true, 60)
        #expect(wishes("no-cache, no-store, only-if-cached, max-age=60") == all)
        #expect(wishes("No-Cache,NO-STORE", "ONLY-IF-CACHED ,, Max-Age = \"60\"") == all)
        #expect(wishes("a=\"x, no-store\", no-cache=\"b\", only-if-cached;x").noCache)
        #expect(!wishes("a=\"x, no-store\", no-cache").noStore)
        #expect(!wishes("a=\"x\\\", no-store\", no-cache").noStore)
        #expect(!wishes("a=\"x, no-store").noStore)
        #expect(!wishes("no-stores, no-store2, xno-store").noStore)
    }

    @Test(arguments: [
        ("max-age=0", 0), ("max-age=60", 60), ("max-age=\"7\"", 7), ("max-age=60, max-age=5", 5),
        ("max-age=99999999999999999999999", 1 << 31), ("max-age=007", 7),
        // What cannot be read makes all that is kept too old.
        ("max-age", 0), ("max-age=", 0), ("max-age=-1", 0), ("max-age=1.5", 0), ("max-age=abc", 0),
        ("max-age=1 2", 0), ("max-age=\"5", 0), ("max-age=60, max-age=x", 0),
    ])
    func `an age is a number of seconds`(value: String, seconds: Int) {
        #expect(wishes(value).largestAgeSeconds == seconds)
    }

    @Test func `the cache is switched on or off, and what is not understood switches it off`() {
        for on in ["on", "ON", " on\t"] { #expect(wishes(preference: on).preference == .on) }
        for off in ["off", "Off", "", "no", "false", "0", "on off", "only"] {
            #expect(wishes(preference: off).preference == .off, "\(off)")
        }
        #expect(wishes().preference == nil)
    }

    // MARK: What comes of it

    /// Everything that a decision depends on.
    private struct Situation {
        var isEnabled, cachesVaried, coalesces, searches, isVaried: Bool
        var noCache, noStore, onlyIfCached: Bool
        var age: Int?
        var preference: CacheWishes.Preference?

        static var all: [Situation] {
            let ages: [Int?] = [nil, 0, 1, 600, 3600, 90_000]
            let preferences: [CacheWishes.Preference?] = [nil, .on, .off]
            return (0..<256).flatMap { bits in
                ages.flatMap { age in
                    preferences.map { preference in
                        func bit(_ number: Int) -> Bool { bits >> number & 1 == 1 }
                        return Situation(
                            isEnabled: bit(0), cachesVaried: bit(1), coalesces: bit(2), searches: bit(3),
                            isVaried: bit(4), noCache: bit(5), noStore: bit(6), onlyIfCached: bit(7),
                            age: age,
                            preference: preference)
                    }
                }
            }
        }

        var decision: CacheDecision {
            var policy = CachePolicy()
            policy.isEnabled = isEnabled
            policy.cachesNonzeroTemperature = cachesVaried
            policy.coalesces = coalesces
            policy.semantic.isEnabled = searches
            var wishes = CacheWishes()
            (wishes.noCache, wishes.noStore, wishes.onlyIfCached) = (noCache, noStore, onlyIfCached)
            (wishes.largestAgeSeconds, wishes.preference) = (age, preference)
            return CacheDecision(policy, wishes, isVaried: isVaried)
        }
    }

    @Test func `without the cache nothing is looked up, stored or shared`() {
        for situation in Situation.all
        where !situation.isEnabled || situation.preference == .off || situation.noStore {
            let decision = situation.decision
            #expect(!decision.mayLookUp && !decision.maySearch && !decision.mayStore && !decision.mayJoin)
            #expect(decision.mustBeKept == situation.onlyIfCached)
        }
    }

    @Test func `with the cache each wish does what it says`() {
        var count = 0
        for situation in Situation.all
        where situation.isEnabled && situation.preference != .off && !situation.noStore {
            count += 1
            let decision = situation.decision
            let isKept = !situation.isVaried || situation.cachesVaried || situation.preference == .on
            let mayBeOld = !situation.noCache && situation.age != 0
            #expect(decision.mayLookUp == (isKept && mayBeOld), "\(situation)")
            #expect(decision.maySearch == (isKept && mayBeOld && situation.searches), "\(situation)")
            #expect(decision.mayStore == (isKept && !situation.onlyIfCached), "\(situation)")
            let mayJoin = isKept && mayBeOld && situation.coalesces && !situation.onlyIfCached
            #expect(decision.mayJoin == mayJoin, "\(situation)")
            #expect(decision.mustBeKept == situation.onlyIfCached, "\(situation)")
            #expect(decision.largestAgeSeconds == min(situation.age ?? 3600, 3600), "\(situation)")
        }
        #expect(count == 64 * 6 * 2)
    }

    @Test(arguments: [
        (wish: "", lookUp: true, store: true, join: true, kept: false),
        ("no-cache", false, true, false, false),
        ("no-store", false, false, false, false),
        ("max-age=0", false, true, false, false),
        ("max-age=60", true, true, true, false),
        ("only-if-cached", true, false, false, true),
        ("only-if-cached, no-cache", false, false, false, true),
        ("only-if-cached, no-store", false, false, false, true),
    ])
    func `the wishes of HTTP`(wish: String, lookUp: Bool, store: Bool, join: Bool, kept: Bool) {
        let decision = CacheDecision(CachePolicy(), wishes(wish), isVaried: false)
        #expect(
            [decision.mayLookUp, decision.mayStore, decision.mayJoin, decision.mustBeKept]
                == [lookUp, store, join, kept])
    }

    @Test func `an answer is given up to the age that policy, wish and answer allow`() {
        let start = Timestamp(seconds: 1_800_000_000)
        func mayGive(_ lifetime: Int, _ wish: String, storedFor: Int, after milliseconds: Int64) -> Bool {
            var policy = CachePolicy()
            policy.lifetimeSeconds = lifetime
            let answer = CachedAnswer(
                .events([]), origin: CacheWorld.origin, storedAt: start, lifetimeSeconds: storedFor,
                provider: "", model: "",
                upstreamModel: "")
            let now = Timestamp(microseconds: start.microseconds + milliseconds * 1000)
            return CacheDecision(policy, wishes(wish), isVaried: false).mayGive(answer.keeping, at: now)
        }
        #expect(mayGive(100, "", storedFor: 100, after: 100_000))
        #expect(!mayGive(100, "", storedFor: 100, after: 100_001))
        // The policy has become stricter.
        #expect(!mayGive(50, "", storedFor: 100, after: 50_001))
        // It has become more lenient, and the answer has not.
        #expect(!mayGive(200, "", storedFor: 100, after: 100_001))
        #expect(mayGive(100, "max-age=10", storedFor: 100, after: 10_000))
        #expect(!mayGive(100, "max-age=10", storedFor: 100, after: 10_001))
        #expect(!mayGive(100, "max-age=0", storedFor: 100, after: 0))
        #expect(mayGive(100, "max-age=1000", storedFor: 100, after: 100_000))
        #expect(!mayGive(100, "no-cache", storedFor: 100, after: 0))
    }
}
