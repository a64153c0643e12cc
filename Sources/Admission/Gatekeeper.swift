package import Base
package import Redis

/// A loop's way to admission: asks Redis, and decides by itself where Redis is away.
// Confined to its loop.
package final class Gatekeeper: @unchecked Sendable {
    package struct Bounds: Sendable {
        /// A request waits this long for Redis.
        package var patience = Duration.milliseconds(50)
        /// After Redis did not answer in time it is not asked for so long: one that is slow costs few requests.
        package var pauseAfterTimeout = Duration.milliseconds(250)
        /// Who has not said for so long that it lives is counted no longer.
        package var lifeOfWorker = Duration.seconds(6)
        /// Who writes months down waits this long.
        package var patienceWithMonths = Duration.seconds(1)
        /// A request under way that nobody has spoken for counts no longer than this.
        package var lease = Duration.seconds(30)
        /// Subjects that are remembered for when Redis is away.
        package var subjects = 50_000
        /// Beside them, so that a crowd of strangers displaces nobody who is known.
        package var addresses = 10_000
        /// What Redis keeps of an address goes when nothing has come for so long.
        package var lifeOfAddress = Duration.seconds(2 * 3600)
        /// Settlements that wait for Redis to be back.
        package var unsettled = 10_000
        /// Subjects, and settlements, of which Redis is told at once when it is back: a request waits behind them.
        package var arrears = 256
        /// The database has so long to grant money, or to hear of it.
        package var patienceWithMoney = Duration.seconds(2)
        /// A grant for one request is given back after that at last.
        package var longestDirectGrant = Duration.seconds(3 * 3600)
        /// Requests that wait for one funding.
        package var fundingWaiters = 1000

        package init() {}
    }

    // What seldom comes is not handed around with what does.
    package enum Verdict {
        case admitted(Permit)
        indirect case refused(Refusal)
        /// The organization's keys have changed: nothing was taken.
        case outdated(generation: Int64)
        /// There is not the money for it: nothing was taken anywhere.
        indirect case unfunded(Shortage)
    }

    let redis: RedisClient
    let bounds: Bounds
    let time: TimeSource
    var clock = RedisClock()
    /// When those were let in that are paid for from slices, and of which nobody else knows yet what they cost.
    var paidSince: [ObjectIdentifier: Int64] = [:]
    var memories: ClockTable<MemoryKey, SubjectMemory>
    private var addresses: ClockTable<IPAddress, SubjectMemory>
    /// Those with something that Redis does not know yet.
    var debtors: [SubjectMemory] = []
    /// What Redis was not there to be told.
    var unsettled: [Settlement] = []
    /// What Redis has answered with an error: told again at the next beat.
    var postponed: [Settlement] = []
    /// nil: there is no money but what Redis has.
    let treasury: Treasury?
    /// Those with requests under way that count.
    var occupied: [ObjectIdentifier: SubjectMemory] = [:]
    /// Tells this loop from all others, of other processes too.
    let identity: Double
    /// Loops that share what there is while Redis is away: this one and others, at the last look.
    package internal(set) var workerCount: Int
    /// Loops of this process: so many there are at least.
    let ownWorkers: Int
    private var pausedUntil = Instant(nanoseconds: 0)
    /// What came before in a month, by the database.
    let quotas: QuotaSource?
    /// Those whose month has gone on since it was last written down.
    var changed: [SubjectMemory] = []
    let counters: AdmissionCounters?
    private var numbers = UniqueNumbers()
    /// Whether the last word was this loop's own.
    private var isAlone = false

    struct MemoryKey: Hashable {
        var place: Place
        var name: Subject.Name
    }

    /// Says how much of each subject's month is used.
    package typealias QuotaSource =
        @Sendable (
            _ organization: UUID, _ subjects: [Subject.Name], _ month: Int64
        ) async throws -> [QuotaUse]

    package init(
        _ redis: RedisClient, bounds: Bounds = Bounds(), time: TimeSource = .live, workers: Int = 1,
        counters: AdmissionCounters? = nil, grants: (any GrantSource)? = nil, quotas: QuotaSource? = nil
    ) {
        self.counters = counters
        ownWorkers = workers
        workerCount = workers
        self.redis = redis
        self.bounds = bounds
        self.time = time
        self.quotas = quotas
        treasury = grants.map { Treasury($0, bounds, time, on: redis.loop) }
        memories = ClockTable(capacity: bounds.subjects)
        addresses = ClockTable(capacity: bounds.addresses)
        // As exact as a number of Lua is.
        identity = Double(Random.words().0 >> 12)
    }

    /// A name that no other hold has.
    func makeHold(_ note: HoldNote?) -> [UInt8] {
        if let note { return note.id.bytes(behind: "h") }
        let (high, low) = numbers.next()
        return UUID(high: high, low: low).bytes(behind: "h")
    }

    // MARK: Whom

    /// Those of the subjects that are limited, with their memories.
    package func subjects(_ limits: [(Subject.Name, Limits)], at place: Place) -> SubjectList {
        SubjectList(
            limits.compactMap { name, limits in
                limits.isEmpty ? nil : Subject(limits, of: memory(of: name, at: place))
            }, at: place)
    }

    /// Of one who is not known otherwise. In IPv6 that is a network: who has one address there has them all.
    package func subjects(_ limits: Limits, from address: IPAddress) -> SubjectList {
        let network = address.customerNetwork
        let place = Place.address(network)
        let known = addresses.value(for: network)
        let memory = known ?? SubjectMemory(place, .address(network))
        if known == nil { addresses.set(memory, for: network) }
        return SubjectList([Subject(limits, of: memory)], at: place)
    }

    private func memory(of name: Subject.Name, at place: Place) -> SubjectMemory {
        let key = MemoryKey(place: place, name: name)
        if let known = memories.value(for: key) { return known }
        let memory = SubjectMemory(place, name)
        memories.set(memory, for: key)
        return memory
    }

    /// How many tokens are left for such a request, as far as this loop knows; nil where none are limited.
    package func room(for request: AdmissionRequest) -> Int? {
        let now = clock.now(time.instant(), time.timestamp())
        return Standing.room(of: request.subjects, at: now, in: request.calendar?.month(at: now))
    }

    // MARK: May it?

    /// Asks whether `request` may go on, and sends `others` beside it. Without Redis it is decided here, and there are no
    /// values of `others`.
    package func admit(
        _ request: AdmissionRequest, beside others: [RedisCommand] = []
    ) async -> (verdict: Verdict, values: ArraySlice<RedisValue>) {
        if request.money != nil { return await admitPaid(request, beside: others) }
        let replies = await withUnsafeContinuation { ask(request, beside: others, for: WaitingAsker($0)) }
        let (verdict, values) = decide(request, by: replies)
        if let verdict { return (verdict, values.dropFirst()) }
        return await admitOnceMore(request, beside: others, after: values[0])
    }

    /// Asks whether `request`, which pays nothing, may go on, for one who then has it decided by what came back.
    package func ask(
        _ request: AdmissionRequest, beside others: [RedisCommand], for caller: any RedisCaller
    ) {
        for subject in request.subjects.slotted { subject.memory.asked += 1 }
        if !mayAsk { return caller.replied(.failure(RedisError(.unavailable))) }
        payDebts()
        redis.pipeline(command(for: request), others, timeout: bounds.patience, for: caller)
    }

    /// What has become of a request that was asked for: exactly once for each. There is no verdict where Redis is to be asked
    /// once more, and there are no values without Redis; else that of the request itself comes before those of the others.
    package func decide(
        _ request: AdmissionRequest, by replies: Result<[RedisValue], RedisError>
    ) -> (verdict: Verdict?, values: [RedisValue]) {
        for subject in request.subjects.slotted { subject.memory.asked -= 1 }
        switch replies {
        case .failure(let error):
            noteFailure(error, request)
            return (admitLocally(request), [])
        case .success(let values): return (take(values[0], request), values)
        }
    }

    /// Whether Redis is asked at all.
    var mayAsk: Bool { redis.isReady && time.instant() >= pausedUntil }

    func ask(
        _ command: RedisCommand, _ others: [RedisCommand]
    ) async -> Result<[RedisValue], RedisError> {
        await withUnsafeContinuation {
            redis.pipeline(command, others, timeout: bounds.patience, for: WaitingAsker($0))
        }
    }

    func noteFailure(_ error: RedisError, _ request: AdmissionRequest) {
        if error.reason == .timedOut { pausedUntil = time.instant() + bounds.pauseAfterTimeout }
        if error.mayHaveExecuted { doubt(request.subjects) }
    }

    // MARK: Words with Redis

    func life(at place: Place) -> Int64 {
        if case .address = place { return bounds.lifeOfAddress.milliseconds / 1000 }
        return Int64(OrganizationKeys.lifetimeSeconds)
    }

    func learnTime(_ time: Int64) { clock.learn(time, at: self.time.instant()) }

    /// What `answer` says; nil where the request is to be sent once more.
    func take(_ answer: RedisValue, _ request: AdmissionRequest) -> Verdict? {
        let verdict = read(answer, request)
        if let verdict { note(verdict, isLocal: false) }
        return verdict
    }

    func note(_ verdict: Verdict, isLocal: Bool) {
        counters?.count(verdict, isLocal: isLocal)
        noteAlone(isLocal)
    }

    /// Whether this loop decides by itself.
    func noteAlone(_ isAlone: Bool) {
        guard isAlone != self.isAlone else { return }
        self.isAlone = isAlone
        counters?.becameAlone(isAlone)
    }

    private func read(_ answer: RedisValue, _ request: AdmissionRequest) -> Verdict? {
        if let array = answer.array { return takeNumbers(array, request) }
        guard let bytes = answer.bytes, bytes.count >= 24 else { return nil }
        let (code, now, detail) = bytes.withUnsafeBytes { bytes in
            (Int(bytes.double(at: 0)), Int64(bytes.double(at: 8)), Int64(bytes.double(at: 16)))
        }
        clock.learn(now, at: time.instant())
        let month = request.calendar?.month(at: now)
        switch Code(rawValue: code) {
        case .admitted, .admittedUnknown:
            learn(bytes, request, isTaken: true)
            let permit = Permit(
                request, at: now, in: month, code == 1 ? .current : .unknown, purges: detail)
            if request.money != nil {
                counters?.hold()
                paidSince[ObjectIdentifier(permit)] = now
            }
            return .admitted(permit)
        case .windowFull:
            learn(bytes, request, isTaken: false)
            return .refused(refusal(request, at: now, in: month))
        case .slotsFull:
            return .refused(
                refusal(request.subjects.slotted[Int(detail) - 1], request, at: now, in: month))
        case .outdated: return .outdated(generation: detail)
        case .late, .monthUnknown, .otherMonth, .notFunded, nil: return nil
        }
    }

    enum Code: Int {
        case late = 0
        case admitted = 1
        case admittedUnknown = 2
        case windowFull = 3
        case slotsFull = 4
        case outdated = 5
        case monthUnknown = 6
        case otherMonth = 7
        case notFunded = 8
    }

    /// Where nothing is limited, two numbers.
    private func takeNumbers(_ values: [RedisValue], _ request: AdmissionRequest) -> Verdict {
        let known = values.first?.bytes.flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
        let purges = values.last?.bytes.flatMap { Int64(String(decoding: $0, as: UTF8.self)) } ?? 0
        var generation = Permit.Generation.current
        if let own = request.generation, known != own {
            if let known, known > own { return .outdated(generation: known) }
            generation = .unknown
        }
        return .admitted(
            Permit(
                request, at: clock.now(time.instant(), time.timestamp()), in: nil, generation, purges: purges)
        )
    }

    private func learn(_ bytes: [UInt8], _ request: AdmissionRequest, isTaken: Bool) {
        bytes.withUnsafeBytes { bytes in
            var place = 24
            for subject in request.subjects.windowed {
                guard place + WindowState.byteCount <= bytes.count else { return }
                subject.memory.state = WindowState(
                    UnsafeRawBufferPointer(rebasing: bytes[place..<place + WindowState.byteCount]))
                if subject.limitsMonth, let count = MonthCount(subject.memory.state) {
                    subject.memory.month = count
                }
                place += WindowState.byteCount
            }
        }
        guard isTaken else { return }
        noteMonths(of: request.subjects)
        enter(request.subjects)
    }

    /// Counts a request that is under way.
    func enter(_ subjects: SubjectList) {
        for subject in subjects.slotted {
            subject.memory.underway += 1
            occupied[ObjectIdentifier(subject.memory)] = subject.memory
        }
    }

    func leave(_ subjects: SubjectList) {
        for subject in subjects.slotted {
            subject.memory.underway -= 1
            forgetIdle(subject.memory)
        }
    }

    /// Redis may count requests of these that are none: they are spoken for once more.
    func doubt(_ subjects: SubjectList) {
        for subject in subjects.slotted {
            subject.memory.isDoubtful = true
            occupied[ObjectIdentifier(subject.memory)] = subject.memory
        }
    }

    func forgetIdle(_ memory: SubjectMemory) {
        if memory.underway == 0, !memory.isDoubtful { occupied[ObjectIdentifier(memory)] = nil }
    }

    // MARK: Once more

    // What is seldom needed takes no room of every request.
    @inline(never)
    private func admitOnceMore(
        _ request: AdmissionRequest, beside others: [RedisCommand], after answer: RedisValue
    ) async -> (verdict: Verdict, values: ArraySlice<RedisValue>) {
        for subject in request.subjects.slotted { subject.memory.asked += 1 }
        defer { for subject in request.subjects.slotted { subject.memory.asked -= 1 } }
        var answer = answer
        for _ in 0..<Self.mostRepetitions {
            if answer.error != nil, answer.error?.kind != .functionNotFound { break }
            if code(of: answer) == .monthUnknown, !(await seed(request)) { break }
            do throws(RedisError) {
                let values = try await redis.pipeline(
                    [command(for: request)] + others, using: AdmissionLibrary.library,
                    timeout: bounds.patience)
                if let verdict = take(values[0], request) { return (verdict, values.dropFirst()) }
                answer = values[0]
            } catch {
                noteFailure(error, request)
                break
            }
        }
        return (admitLocally(request), [])
    }

    /// For a function that is not there, a clock that was wrong, a month that is not known.
    static let mostRepetitions = 3

    func code(of answer: RedisValue) -> Code? {
        guard let bytes = answer.bytes, bytes.count >= 8 else { return nil }
        return Code(rawValue: Int(bytes.withUnsafeBytes { $0.double(at: 0) }))
    }

    /// Tells Redis what came before in this month. Says whether that is known.
    func seed(_ request: AdmissionRequest) async -> Bool {
        let now = clock.now(time.instant(), time.timestamp())
        guard case .organization(let organization) = request.subjects.place,
            let month = request.calendar?.month(at: now), let quotas
        else { return false }
        let names = request.subjects.windowed.map(\.name)
        guard let uses = try? await quotas(organization, names, month.index) else { return false }
        var command = RedisCommand(calling: AdmissionLibrary.seed, keyCount: 1)
        command.add(request.subjects.place.key)
        command.add([Double(month.index), Double(life(at: request.subjects.place))])
        for subject in request.subjects.windowed {
            let use = uses.first { $0.subject == subject.name.text }
            command.add(subject.field)
            command.add([Double(use?.requests ?? 0), Double(use?.tokens ?? 0)])
        }
        do throws(RedisError) {
            _ = try await redis.send(command, using: AdmissionLibrary.library, timeout: bounds.patience)
            return true
        } catch {
            return false
        }
    }
}

/// A task that waits for what Redis says.
private final class WaitingAsker: RedisCaller {
    private let continuation: UnsafeContinuation<Result<[RedisValue], RedisError>, Never>

    init(_ continuation: UnsafeContinuation<Result<[RedisValue], RedisError>, Never>) {
        self.continuation = continuation
    }

    func replied(_ replies: Result<[RedisValue], RedisError>) { continuation.resume(returning: replies) }
}

/// How much of a month a subject has used, as the database has it.
package struct QuotaUse: Equatable, Sendable {
    /// See `Subject.Name.text`.
    package var subject: String
    package var requests: Int64
    package var tokens: Int64

    package init(subject: String, requests: Int64, tokens: Int64) {
        self.subject = subject
        self.requests = requests
        self.tokens = tokens
    }
}

extension Duration {
    var milliseconds: Int64 { nanoseconds / 1_000_000 }
}

extension RedisCommand {
    /// One argument, as Lua's `struct` reads `<ddd`.
    mutating func add(_ numbers: [Double]) {
        numbers.withUnsafeBytes { add($0) }
    }
}

extension UnsafeRawBufferPointer {
    func double(at offset: Int) -> Double {
        Double(bitPattern: UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
    }
}
