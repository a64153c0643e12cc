package import Base
package import Loop

/// Hashes and compares passwords beside the loops: on a few threads that get the processor when nothing else wants it.
/// One pool serves all loops.
package final class PasswordPool: Sendable {
    private let queue: PasswordPoolQueue
    private let dummy = PasswordHash.dummy()

    /// Each thread uses 19 MiB from its first hash on. At most `capacity` callers wait; the next is told to come again.
    package init(threads: Int, capacity: Int) {
        queue = PasswordPoolQueue(threads: threads, capacity: capacity)
    }

    deinit { queue.close() }

    /// The hash of a new password.
    package func hash(_ password: Secret, on loop: EventLoop) async throws -> PasswordHash {
        try await queue.run(on: loop) { PasswordHash(of: password) }
    }

    /// Whether `password` is the one of `hash`. Without a hash (nobody has that address, or no password) it is not, and
    /// finding that out takes as long.
    package func matches(
        _ password: Secret, _ hash: PasswordHash?, on loop: EventLoop
    ) async throws -> Bool {
        let known = hash.flatMap { PasswordHashParts(parsing: $0.text) == nil ? nil : $0 }
        let compared = known ?? dummy
        let isRight = try await queue.run(on: loop) { compared.matches(password) }
        return isRight && known != nil
    }

    /// Sends a caller away who would find no room, before anything else is done for them or counted against them.
    package func checkRoom() throws(Problem) { try queue.checkRoom() }

    /// Callers who wait are sent away, and nobody is served any more.
    package func close() { queue.close() }

    /// After the last hash for a while: the next one takes its memory anew.
    package static func giveBackMemory() { Argon2Memory.giveBack() }

    /// How often this process has computed a hash: the dear part, whoever asked for it.
    package static var computedCount: Int { Argon2.runs }
}
