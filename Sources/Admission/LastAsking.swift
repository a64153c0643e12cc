import Redis

/// What was asked last of the same subjects: who asks the same again need not write it anew.
struct LastAsking {
    private let generation: Int64?
    private let weight: Int64
    private let tokens: Int64
    private let month: Month?
    private let command: RedisCommand
    private let deadlinePlace: Int

    init(_ request: AdmissionRequest, _ month: Month?, _ command: RedisCommand, deadlineAt place: Int) {
        generation = request.generation
        weight = request.weight
        tokens = request.tokens
        self.month = month
        self.command = command
        deadlinePlace = place
    }

    func asks(_ request: AdmissionRequest, in month: Month?) -> Bool {
        request.money == nil && generation == request.generation && weight == request.weight
            && tokens == request.tokens && self.month == month
    }

    func again(until deadline: Double) -> RedisCommand {
        var command = command
        withUnsafeBytes(of: deadline) { command.overwrite($0, at: deadlinePlace) }
        return command
    }
}
