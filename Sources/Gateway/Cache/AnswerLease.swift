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
    private let renewal: Task<Void, Never>

    private init(_ answers: CacheStore, _ cache: CallCache, _ token: [UInt8], on loop: EventLoop) {
        self.answers = answers
        self.cache = cache
        self.token = token
        renewal = loop.spawn {
            while !Task.isCancelled {
                do {
                    try await loop.sleep(for: Self.extendsEvery)
                    let isOurs = try await answers.extendLease(
                        cache.key, of: cache.organization, token: token, milliseconds: Self.milliseconds)
                    if !isOurs { return }
                } catch is RedisError {
                    // Without Redis nobody waits for us.
                    continue
                } catch {
                    return
                }
            }
        }
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
    func end() { renewal.cancel() }

    /// There is no answer.
    func release() async {
        renewal.cancel()
        _ = try? await answers.releaseLease(cache.key, of: cache.organization, token: token)
    }
}
