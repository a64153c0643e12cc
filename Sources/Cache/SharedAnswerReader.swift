import Loop

extension SharedAnswer {
    /// One who reads a shared answer from its start. Gone when it has read the end, when its task is cancelled, by
    /// `leave`, or with its last reference.
    // Confined to its loop.
    package final class Reader: @unchecked Sendable {
        private let answer: SharedAnswer
        private let id: Int
        private let waiter: Waiter
        private var outcome: Outcome?

        private enum Outcome {
            case end
            case failure(SharedAnswerFailure)
        }

        init(_ answer: SharedAnswer, _ id: Int, _ waiter: Waiter) {
            self.answer = answer
            self.id = id
            self.waiter = waiter
        }

        deinit { answer.leave(id) }

        /// What is said before the first piece; waits for it.
        package func head() async throws(SharedAnswerFailure) -> AnswerHead {
            while true {
                switch try await step({ answer.head(for: id) }) {
                case .head(let head): return head
                case .wait, .piece: continue
                case .end: throw end(.neverBegan(NothingSaid()))
                case .failure(let failure): throw end(failure)
                }
            }
        }

        /// The next piece; nil behind the last. Waits for it.
        package func next() async throws(SharedAnswerFailure) -> [UInt8]? {
            while true {
                switch try await step({ answer.next(for: id) }) {
                case .piece(let piece): return piece
                case .wait, .head: continue
                case .end:
                    outcome = .end
                    answer.leave(id)
                    return nil
                case .failure(let failure): throw end(failure)
                }
            }
        }

        /// Whether the last piece was read: the next look is at the end.
        package var hasAll: Bool {
            if case .end = outcome { true } else { answer.hasAll(id) }
        }

        /// Reads no more.
        package func leave() { _ = end(.cancelled) }

        private func step(_ look: () -> Step) async throws(SharedAnswerFailure) -> Step {
            switch outcome {
            case .end: return .end
            case .failure(let failure): throw failure
            case nil: break
            }
            if Task.isCancelled { throw end(.cancelled) }
            let step = look()
            guard case .wait = step else { return step }
            do throws(WaitFailure) { try await waiter.wait() } catch { throw end(.cancelled) }
            return .wait
        }

        private func end(_ failure: SharedAnswerFailure) -> SharedAnswerFailure {
            if outcome == nil { outcome = .failure(failure) }
            answer.leave(id)
            return failure
        }
    }
}
