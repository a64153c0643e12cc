import Base
import Loop

extension KeyRing {
    /// A look-up under way, and those who wait for it.
    // Confined to the ring's loop.
    final class Loading: @unchecked Sendable {
        var outcome: Result<KnownCaller?, any Error>?
        var seats: [Waiter] = []
    }

    /// What the database says of `key`, as new as `generation` at least.
    @inline(never)
    func lookUp(_ key: APIKey, reaching generation: Int64) async throws -> KnownCaller? {
        let digest = peppers.digest(of: key).digest
        if let running = loading[digest] {
            // It may have begun, and read, before the change that we know of. The next has not.
            let found = try await outcome(of: running)
            guard let found, found.generation < generation else { return found }
        }
        return try await outcome(of: loading[digest] ?? start(digest, key))
    }

    /// Looks up a key that nothing is known of, if there are not too many of them.
    @inline(never)
    func meet(_ key: APIKey, _ digest: KeyDigest, from address: IPAddress?) async throws -> KnownCaller? {
        if let running = loading[digest] {
            guard let found = try await outcome(of: running) else { return nil }
            // It may have read before this request came.
            guard case .generation(let current) = await generations?.current(found.caller.organization),
                current > found.generation
            else { return found }
            return try await lookUp(key, reaching: current)
        }
        if let wait = shared.gate.enter(from: address) { throw Self.tooMany(after: wait) }
        do {
            try await takePlace()
        } catch {
            shared.gate.leave(address)
            throw error
        }
        // Meanwhile another may have begun with it.
        if let running = loading[digest] {
            shared.gate.leave(address)
            freePlace()
            return try await outcome(of: running)
        }
        return try await outcome(
            of: start(digest, key) { [self] outcome in
                freePlace()
                // Only what found nobody counts.
                if case .success(nil) = outcome { return }
                shared.gate.leave(address)
            })
    }

    private static func tooMany(after wait: Duration) -> Problem {
        let second: Int64 = 1_000_000_000
        return Problem(
            .rateLimited, code: "too_many_unknown_keys",
            "Too many API keys that do not exist were tried. Wait, and check that the key was copied whole.",
            retryAfterSeconds: Int(max(1, (wait.nanoseconds + second - 1) / second)))
    }

    // MARK: Places for unknown keys

    /// One who waits for a place.
    // Confined to the ring's loop.
    final class PlaceSeat: @unchecked Sendable {
        let waiter: Waiter
        var hasPlace = false
        init(_ loop: EventLoop) { waiter = Waiter(loop) }
    }

    private func takePlace() async throws {
        if placesTaken < limits.unknownAtOnce {
            placesTaken += 1
            return
        }
        guard placeSeats.count < limits.unknownWaiting else { throw Self.tooMany(after: .zero) }
        let seat = PlaceSeat(loop)
        placeSeats.append(seat)
        let deadline = Instant.now() + limits.patience
        do throws(WaitFailure) {
            while !seat.hasPlace { try await seat.waiter.wait(until: deadline) }
        } catch {
            placeSeats.removeAll { $0 === seat }
            if seat.hasPlace { freePlace() }
            if error == .timedOut { throw Slow() }
            throw error
        }
    }

    /// The next who waits has it, if there is one.
    private func freePlace() {
        guard !placeSeats.isEmpty else {
            placesTaken -= 1
            return
        }
        let next = placeSeats.removeFirst()
        next.hasPlace = true
        next.waiter.wake()
    }

    // MARK: Look-ups

    private func outcome(of loading: Loading) async throws -> KnownCaller? {
        let seat = Waiter(loop)
        loading.seats.append(seat)
        let deadline = Instant.now() + limits.patience
        while true {
            if let outcome = loading.outcome { return try outcome.get() }
            do throws(WaitFailure) {
                try await seat.wait(until: deadline)
            } catch {
                if error == .timedOut { throw Slow() }
                throw error
            }
        }
    }

    /// A task of its own: whoever asked first may leave while others wait for the same answer.
    func start(
        _ digest: KeyDigest, _ key: APIKey,
        whenDone: @escaping @Sendable (Result<KnownCaller?, any Error>) -> Void = { _ in }
    ) -> Loading {
        let started = Loading()
        loading[digest] = started
        let digests = peppers.digests(of: key)
        let startedAt = time.instant()
        loop.spawn { [self] in
            let outcome: Result<KnownCaller?, any Error>
            do {
                let found = try await load(digests)
                shared.memory.learn(found, of: digest, loadedAt: startedAt)
                outcome = .success(found)
            } catch {
                outcome = .failure(error)
            }
            started.outcome = outcome
            loading[digest] = nil
            whenDone(outcome)
            for seat in started.seats { seat.wake() }
            if case .success(let found?) = outcome {
                await generations?.restore(found.caller.organization, found.generation)
            }
        }
        return started
    }
}
