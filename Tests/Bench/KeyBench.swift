import Base
import Glibc
import Identity
import Loop

/// What a process pays for known API keys: memory for each, and the time to resolve one without asking anybody.
/// `keys.py` compiles it against the release build; it prints `name value` lines.
@main
enum KeyBench {
    static let count = 100_000
    static let resolutions = 1_000_000
    static let keyLength = 44

    struct Row {
        let name: String
        let value: Double
    }

    static func main() async throws {
        // One piece, made before memory is measured.
        var keys: [UInt8] = []
        keys.reserveCapacity(count * keyLength)
        for _ in 0..<count { keys.append(APIKey.make().secret.reveal()) }
        let group = try LoopGroup(count: 1, name: "bench")
        try group.start()
        let loop = group.loops[0]
        for (name, models, limits) in [
            ("plain", nil, nil),
            (
                "limited", AllowedModels(["openai/gpt-4o", "openai/gpt-4o-mini", "anthropic/claude-sonnet"]),
                Array(#"{"requests_per_minute": 60, "tokens_per_minute": 100000}"#.utf8)
            ),
        ] as [(String, AllowedModels?, [UInt8]?)] {
            // In a process of its own, so that one does not reuse what the other has freed.
            guard CommandLine.arguments.dropFirst().first == name else { continue }
            let all = keys
            let rows = await Task(executorPreference: loop) {
                await measure(all, models: models, limits: limits, on: loop)
            }.value
            for row in rows { print(row.name, row.value) }
        }
        group.stop()
    }

    static func measure(
        _ keys: [UInt8], models: AllowedModels?, limits: [UInt8]?, on loop: EventLoop
    ) async -> [Row] {
        guard let peppers = try? KeyPeppers(parsing: Secret("1:\(String(repeating: "p", count: 40))")) else {
            return []
        }
        let organizations = (0..<1000).map { _ in UUID.make() }
        let shared = SharedKeys()
        let ring = KeyRing(on: loop, peppers: peppers, shared: shared) { _ in
            // As a look-up makes it: no two keys share anything.
            var copy = limits
            copy?.reserveCapacity(64)
            return KnownCaller(
                Caller(
                    organization: organizations.randomElement() ?? .make(), user: .make(), role: .member,
                    key: .make(), scopes: .inference,
                    allowedModels: models.map { _ in
                        AllowedModels(["openai/gpt-4o", "openai/gpt-4o-mini", "anthropic/claude-sonnet"])
                    }, expiresAt: nil, limits: copy), generation: 1)
        }
        let before = residentBytes()
        for index in 0..<count { _ = try? await ring.caller(presenting: key(index, keys)) }
        let memory = Double(residentBytes() - before) / 1e6
        var seconds: [Double] = []
        for _ in 0..<5 { seconds.append(await resolve(keys, ring)) }
        return [
            Row(name: "known", value: Double(shared.memory.knownCount)),
            Row(name: "megabytes", value: memory),
            Row(name: "microseconds", value: seconds.sorted()[2] * 1e6 / Double(resolutions)),
        ]
    }

    static func resolve(_ keys: [UInt8], _ ring: KeyRing) async -> Double {
        let start = cpuSeconds()
        // In their order, as bytes that came over the wire a moment ago are near; in the tables they lie anywhere.
        for round in 0..<resolutions {
            let key = key(round % count, keys)
            guard let arrival = try? await ring.arrival(presenting: key),
                let isRight = try? await ring.confirm(arrival, by: .generation(1)), isRight
            else { preconditionFailure("a known key is not known") }
        }
        return cpuSeconds() - start
    }

    static func key(_ index: Int, _ keys: [UInt8]) -> APIKey {
        guard let key = APIKey(presented: keys[index * keyLength..<(index + 1) * keyLength]) else {
            preconditionFailure("a key is none")
        }
        return key
    }

    static func residentBytes() -> Int {
        let fields = Files.read("/proc/self/statm").map { String(decoding: $0, as: UTF8.self) } ?? ""
        return (Int(fields.split(separator: " ")[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }

    static func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
