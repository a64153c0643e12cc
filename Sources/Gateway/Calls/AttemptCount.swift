/// How often upstreams were asked for one call.
// Confined to its loop.
final class AttemptCount: @unchecked Sendable {
    private(set) var value = 0

    func raise() { value += 1 }
}
