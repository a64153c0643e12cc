import Base
import Redis

/// How many loops, of all processes, share what there is.
extension Gatekeeper {
    /// Says that this one lives, and learns how many do. Without Redis what was known goes on.
    func countWorkers() async {
        var command = RedisCommand(calling: AdmissionLibrary.live, keyCount: 3)
        command.add(AdmissionLibrary.workersKey)
        command.add(AdmissionLibrary.underwayKey)
        command.add(AdmissionLibrary.sinceKey)
        command.add(name)
        command.add([Double(bounds.lifeOfWorker.milliseconds), Double(paidSince.values.min() ?? 0)])
        do throws(RedisError) {
            let answer = try await redis.send(
                command, using: AdmissionLibrary.library, timeout: bounds.patience)
            guard let numbers = answer.array?.compactMap(\.integer), numbers.count == 2 else { return }
            clock.learn(Int64(numbers[0]), at: time.instant())
            // Those of a Redis that was emptied come back one after the other.
            workerCount = max(numbers[1], ownWorkers)
        } catch {}
    }

    /// Whether other processes ask the same Redis, as far as is known.
    package var hasOtherProcesses: Bool { workerCount > ownWorkers }

    /// The others share what this one had.
    func leaveWorkers() async {
        let commands = [("ZREM", AdmissionLibrary.workersKey), ("HDEL", AdmissionLibrary.underwayKey)]
            .map { (name: StaticString, key) in
                var command = RedisCommand(name)
                command.add(key)
                command.add(self.name)
                return command
            }
        _ = try? await redis.pipeline(commands, timeout: bounds.patience)
    }

    private var name: String { "\(Int64(identity))" }
}
