package import Redis

/// What Redis has for a key.
package enum CacheLookup: Equatable, Sendable {
    case found(CachedAnswer)
    case none
    /// Something that is not an answer; it will be overwritten.
    case damaged
    /// Redis does not say.
    case unavailable

    /// Of the reply to `CacheStore.getCommand`.
    package init(_ reply: RedisValue) {
        switch reply {
        case .null: self = .none
        case .bytes(let bytes): self = CachedAnswer(decoding: bytes).map(Self.found) ?? .damaged
        case .error(let error) where error.kind == .wrongType: self = .damaged
        case .integer, .status, .array, .error: self = .unavailable
        }
    }
}
