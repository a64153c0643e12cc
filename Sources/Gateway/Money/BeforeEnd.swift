import Loop

/// What is to be done before a client sees the end of its answer: once, and to its end, whatever becomes of the client.
// Confined to its loop.
final class BeforeEnd: @unchecked Sendable {
    private let loop: EventLoop
    private var work: (@Sendable () async -> Void)?
    private var running: Task<Void, Never>?

    init(on loop: EventLoop, _ work: @escaping @Sendable () async -> Void) {
        self.loop = loop
        self.work = work
    }

    /// Whether it is not done yet, so that an end has to wait for it.
    var isDue: Bool { work != nil || running != nil }

    /// Does it, unless it is done. The task of a client that has left is cancelled, and so is not the one to do it.
    func run() async {
        if let work {
            self.work = nil
            running = loop.spawn { await work() }
        }
        guard let running else { return }
        await running.value
        self.running = nil
    }
}
