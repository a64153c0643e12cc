import Redis

/// What was asked last of the same subjects: who asks the same again need not write it anew.
struct LastAsking {
    private let generation: Int64?
    private let weight: Int64
    private let tokens: Int64
    private let month: Month?
    private var command: RedisCommand
    private let deadlinePlace: Int

    init(_ request: AdmissionRequest, _ month: Month?, _ command: RedisCommand, deadlineAt place: Int) {
        generation = request.generation
        weight = request.weight
        tokens = request.tokens
        self.month = month
        self.command = command
        deadlinePlace = place
    }

    /// The same with another deadline, where `request` asks the same.
    mutating func again(
        _ request: AdmissionRequest, in month: Month?, until deadline: Double
    ) -> RedisCommand? {
        guard request.money == nil, generation == request.generation, weight == request.weight,
            tokens == request.tokens, self.month == month
        else { return nil }
        withUnsafeBytes(of: deadline) { command.overwrite($0, at: deadlinePlace) }
        return command
    }
}
