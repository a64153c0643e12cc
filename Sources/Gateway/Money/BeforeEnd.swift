/// What is to be done before a client sees the end of its answer: once, and to its end, whatever becomes of the client.
// Confined to its loop.
final class BeforeEnd: @unchecked Sendable {
    /// Begins it, and calls `done` when it is done.
    typealias Work = @Sendable (_ done: @escaping @Sendable () -> Void) -> Void

    private var work: Work?
    private var isDone = false
    private var waiting: [UnsafeContinuation<Void, Never>] = []

    init(_ work: @escaping Work) { self.work = work }

    /// Whether it is not done yet, so that an end has to wait for it.
    var isDue: Bool { !isDone }

    /// Does it, unless it was begun, and waits until it is done. No task of its own: none that is cancelled, because its
    /// client has left, does it, and such a one waits like others.
    func run() async {
        if let work {
            self.work = nil
            work { [self] in finish() }
        }
        if isDone { return }
        await withUnsafeContinuation { waiting.append($0) }
    }

    private func finish() {
        isDone = true
        let waiting = waiting
        self.waiting = []
        for one in waiting { one.resume() }
    }
}
