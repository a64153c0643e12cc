import Base
package import Loop

/// An answer that one makes and several read while it is being made, each on its own loop and at its own pace.
///
/// All that was made is kept up to `largestBytes`, so that whoever comes later reads it from the start. Beyond that nobody
/// may come any more, and what all readers have is dropped; a reader that is further behind than that, and a piece, is cut
/// off. So no more than `largestBytes` and a piece are ever kept.
// All state is behind the lock; nothing is called with it held.
package final class SharedAnswer: @unchecked Sendable {
    package let largestBytes: Int
    /// The maker waits while even the fastest reader is further behind.
    package let highWater: Int

    private let state: Locked<State>
    private let loop: EventLoop
    /// The maker's seat.
    private let maker: Waiter

    private struct State {
        var head: AnswerHead?
        var pieces = PieceQueue()
        var madeBytes = 0
        var ending: Ending?
        /// Nobody may come any more: the start is not kept, or everybody has left.
        var isClosed = false
        var isAbandoned = false
        var whenAbandoned: (@Sendable () -> Void)?
        var readers: [Int: ReaderState] = [:]
        var lastReader = 0
        /// How much the fastest of the readers has.
        var fastest = 0
        var isMakerWaiting = false
    }

    private enum Ending {
        case finished
        case failed(any Error)
    }

    private struct ReaderState {
        /// The number of its next piece, and how many bytes were before.
        var next = 0
        var taken = 0
        var isWaiting = false
        let seat: Seat
    }

    /// Where somebody waits.
    struct Seat: Sendable {
        let loop: EventLoop
        let waiter: Waiter

        func wake() {
            if loop.isCurrent { waiter.wake() } else { loop.execute { [waiter] in waiter.wake() } }
        }
    }

    /// `loop`: the maker's.
    package init(on loop: EventLoop, largestBytes: Int, highWater: Int) {
        precondition(highWater > 0 && highWater <= largestBytes, "the fastest reader must never be cut off")
        self.loop = loop
        self.largestBytes = largestBytes
        self.highWater = highWater
        maker = Waiter(loop)
        state = Locked(State())
    }

    package var readerCount: Int { state.withLock { $0.readers.count } }

    /// More than this read on their own.
    private static let largestReaderCount = 1000

    // MARK: Making

    /// What is said before the first piece. Once.
    package func begin(_ head: AnswerHead) {
        wake { state in
            assert(state.head == nil, "an answer has one head")
            state.head = head
            return Self.takeWaiting(&state)
        }
    }

    package func append(_ piece: [UInt8]) {
        if piece.isEmpty { return }
        wake { append(piece, to: &$0) }
    }

    /// The last piece, which every reader knows as such.
    package func finish(with piece: [UInt8]) {
        if piece.isEmpty { return finish() }
        wake { state in
            let seats = append(piece, to: &state)
            if state.ending == nil { state.ending = .finished }
            state.whenAbandoned = nil
            return seats
        }
    }

    private func append(_ piece: [UInt8], to state: inout State) -> [Seat] {
        assert(state.head != nil && state.ending == nil, "pieces come between the head and the end")
        if state.ending != nil { return [] }
        state.madeBytes += piece.count
        if state.isAbandoned { return [] }
        state.pieces.append(piece)
        if state.madeBytes > largestBytes { state.isClosed = true }
        var seats = Self.takeWaiting(&state)
        if state.isClosed { seats += drop(&state) }
        return seats
    }

    package func finish() {
        end { $0.head == nil ? .failed(NothingSaid()) : .finished }
    }

    package func fail(_ error: any Error) {
        end { _ in .failed(error) }
    }

    /// Waits until the fastest reader is no further behind than `highWater`, or there is none. Call it on the maker's loop.
    package func room() async throws(WaitFailure) {
        while true {
            let mustWait = state.withLock { state in
                state.isMakerWaiting =
                    !state.readers.isEmpty && state.ending == nil
                    && state.madeBytes - state.fastest > highWater
                return state.isMakerWaiting
            }
            if !mustWait { return }
            try await maker.wait()
        }
    }

    /// `body` is called once, on whatever thread the last reader has left, unless the answer had ended: nobody comes any
    /// more, and who makes it may stop. It is let go of with the answer's end.
    package func whenAbandoned(_ body: @escaping @Sendable () -> Void) {
        let isAbandoned = state.withLock { state in
            if !state.isAbandoned { state.whenAbandoned = body }
            return state.isAbandoned
        }
        if isAbandoned { body() }
    }

    /// Somebody who has an answer made has nothing to say.
    struct NothingSaid: Error {}

    private func end(_ ending: (State) -> Ending) {
        wake { state in
            if state.ending != nil { return [] }
            let ending = ending(state)
            state.ending = ending
            if case .failed = ending { state.isClosed = true }
            state.whenAbandoned = nil
            return Self.takeWaiting(&state)
        }
    }

    /// Wakes those that `change` names, once the lock is free. Where everybody has left, that is told.
    private func wake(_ change: (inout State) -> [Seat]) {
        let (seats, abandoned) = state.withLock { state -> ([Seat], (@Sendable () -> Void)?) in
            var seats = change(&state)
            let abandoned = Self.noteAbandonment(&state)
            let isFree = state.readers.isEmpty || state.madeBytes - state.fastest <= highWater
            if state.isMakerWaiting, isFree || state.ending != nil {
                state.isMakerWaiting = false
                seats.append(Seat(loop: loop, waiter: maker))
            }
            return (seats, abandoned)
        }
        for seat in seats { seat.wake() }
        abandoned?()
    }

    private static func takeWaiting(_ state: inout State) -> [Seat] {
        var seats: [Seat] = []
        for (id, reader) in state.readers where reader.isWaiting {
            state.readers[id]?.isWaiting = false
            seats.append(reader.seat)
        }
        return seats
    }

    /// Drops what all readers have, and readers that are too far behind. Gives those that must be told.
    private func drop(_ state: inout State) -> [Seat] {
        var cut: [Seat] = []
        while true {
            let slowest = state.readers.values.reduce(state.pieces.end) { min($0, $1.next) }
            while state.pieces.start < slowest { state.pieces.dropFirst() }
            if state.pieces.byteCountBeforeLast <= largestBytes { return cut }
            for (id, reader) in state.readers where reader.next == slowest {
                state.readers[id] = nil
                cut.append(reader.seat)
            }
        }
    }

    private static func noteAbandonment(_ state: inout State) -> (@Sendable () -> Void)? {
        // Nobody has left before the first has come.
        guard state.readers.isEmpty, state.lastReader > 0, state.ending == nil, !state.isAbandoned else {
            return nil
        }
        state.isAbandoned = true
        state.isClosed = true
        state.pieces.dropAll()
        defer { state.whenAbandoned = nil }
        return state.whenAbandoned
    }
}

// MARK: - Reading
extension SharedAnswer {
    /// A reader from the first piece on; nil where the answer has failed, or its start is not kept any more. Call it on
    /// `loop`, and use the reader there.
    package func subscribe(on loop: EventLoop) -> Reader? {
        let seat = Seat(loop: loop, waiter: Waiter(loop))
        let id = state.withLock { state -> Int? in
            guard !state.isClosed, state.readers.count < Self.largestReaderCount else { return nil }
            state.lastReader += 1
            state.readers[state.lastReader] = ReaderState(seat: seat)
            return state.lastReader
        }
        return id.map { Reader(self, $0, seat.waiter) }
    }

    enum Step {
        case head(AnswerHead)
        case piece([UInt8])
        case end
        case failure(SharedAnswerFailure)
        /// There is nothing yet. A wake will come.
        case wait
    }

    func head(for id: Int) -> Step {
        state.withLock { state in
            if let head = state.head { return .head(head) }
            if case .failed(let error) = state.ending { return .failure(.neverBegan(error)) }
            state.readers[id]?.isWaiting = true
            return state.readers[id] == nil ? .failure(.fellBehind) : .wait
        }
    }

    func next(for id: Int) -> Step {
        var step = Step.wait
        wake { state in
            guard let reader = state.readers[id] else {
                step = .failure(.fellBehind)
                return []
            }
            guard reader.next < state.pieces.end else {
                step = Self.stepBehindLast(state)
                if case .wait = step { state.readers[id]?.isWaiting = true }
                return []
            }
            let piece = state.pieces[reader.next]
            step = .piece(piece)
            state.readers[id]?.next += 1
            state.readers[id]?.taken += piece.count
            state.fastest = max(state.fastest, reader.taken + piece.count)
            return state.isClosed && reader.next == state.pieces.start ? drop(&state) : []
        }
        return step
    }

    /// Whether a reader has all of it.
    func hasAll(_ id: Int) -> Bool {
        state.withLock { state in
            guard case .finished = state.ending, let reader = state.readers[id] else { return false }
            return reader.next >= state.pieces.end
        }
    }

    private static func stepBehindLast(_ state: State) -> Step {
        switch state.ending {
        case .finished: .end
        case .failed(let error): .failure(state.madeBytes == 0 ? .neverBegan(error) : .brokeOff(error))
        case nil: .wait
        }
    }

    func leave(_ id: Int) {
        wake { state in
            guard state.readers.removeValue(forKey: id) != nil else { return [] }
            state.fastest = state.readers.values.reduce(0) { max($0, $1.taken) }
            return state.isClosed ? drop(&state) : []
        }
    }
}

/// Why a reader gets no more of an answer.
package enum SharedAnswerFailure: Error {
    /// The answer failed before there was a piece of it: whoever still wants it may begin anew.
    case neverBegan(any Error)
    /// It failed in the middle.
    case brokeOff(any Error)
    /// The reader was so slow that what it needs is not kept any more.
    case fellBehind
    /// The reader's own task was cancelled.
    case cancelled
}
