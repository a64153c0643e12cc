import Base
import Cache
import Loop
import Redis

/// That this process makes the answer that others wait for. Extended for as long as it takes.
// Confined to its loop.
final class AnswerLease: @unchecked Sendable {
    private static let milliseconds = 10_000
    private static let extendsEvery = Duration.seconds(3)

    private let answers: CacheStore
    private let cache: CallCache
    let token: [UInt8]
    private let loop: EventLoop
    /// Most answers are there before it is needed.
    private var timer: TimerToken?
    private var hasEnded = false

    private init(_ answers: CacheStore, _ cache: CallCache, _ token: [UInt8], on loop: EventLoop) {
        self.answers = answers
        self.cache = cache
        self.token = token
        self.loop = loop
        setTimer()
    }

    private func setTimer() {
        timer = loop.schedule(at: .now() + Self.extendsEvery) { [self] in
            timer = nil
            loop.spawn { await self.extend() }
        }
    }

    private func extend() async {
        // Without Redis nobody waits for us.
        let isOurs = try? await answers.extendLease(
            cache.key, of: cache.organization, token: token, milliseconds: Self.milliseconds)
        if isOurs != false, !hasEnded { setTimer() }
    }

    /// And what is kept at that moment; no lease where another process has it.
    static func take(
        _ answers: CacheStore, for cache: CallCache, on loop: EventLoop
    ) async throws(RedisError) -> (lease: AnswerLease?, entry: RedisValue) {
        let token = Random.bytes(16)
        let (lease, entry) = try await answers.lease(
            cache.key, of: cache.organization, token: token, milliseconds: milliseconds)
        return (lease == .taken ? AnswerLease(answers, cache, token, on: loop) : nil, entry)
    }

    /// It was given back with the answer.
    func end() {
        hasEnded = true
        timer.map(loop.cancel)
        timer = nil
    }

    /// There is no answer.
    func release() async {
        end()
        _ = try? await answers.releaseLease(cache.key, of: cache.organization, token: token)
    }
}
