import Base
import Loop

/// Something sent to the server whose end is marked: by a sync in a pipeline, or by being alone on the
/// connection.
// Confined to its loop.
final class Exchange: @unchecked Sendable {
    let work: Work
    /// Numbers the exchanges of a connection.
    let number: Int
    let waiter: Waiter
    private(set) var results: [PostgresRows] = []
    /// What ended it early; the statement at `results.count` is the one that failed.
    private(set) var failure: PostgresError?
    private(set) var isDone = false
    /// Nobody waits for it any more; its answer is read and dropped.
    var isAbandoned = false
    var isSent = false
    var steps: [Step] = []
    private(set) var position = 0
    /// The server takes rows.
    var isCopyOpen = false

    enum Work {
        /// Prepared statements, one sync after the last.
        case statements([SQL])
        /// Text that may hold several statements, by the simple protocol.
        case script(String)
        /// `COPY … FROM STDIN`.
        case copy(String)
    }

    /// What the server answers, in order.
    enum Step {
        case deallocate(name: String)
        case prepare(StatementCache.Key, isNamed: Bool, statement: Int)
        case execute(StatementCache.Key, statement: Int)
    }

    init(_ work: Work, number: Int, on loop: EventLoop) {
        self.work = work
        self.number = number
        waiter = Waiter(loop)
    }

    /// Whether it has the connection to itself.
    var isExclusive: Bool {
        if case .statements = work { false } else { true }
    }

    var step: Step? { position < steps.count ? steps[position] : nil }

    func advance() { position += 1 }

    func append(_ rows: PostgresRows) {
        if failure == nil { results.append(rows) }
    }

    func fail(_ error: PostgresError) {
        if failure == nil { failure = error }
    }

    func finish() {
        isDone = true
        waiter.wake()
    }

    /// The statement's text, for errors.
    func text(of statement: Int) -> String? {
        switch work {
        case .statements(let statements): statement < statements.count ? statements[statement].text : nil
        case .script: nil
        case .copy(let text): text
        }
    }
}
