import Base
package import Loop

/// The answers that are being made in this process, by what was asked. Who asks what is being answered already reads
/// along.
package final class FlightTable: Sendable {
    /// What the first asker of all that want the same gets, and what the others get.
    package enum Place {
        /// With a reader of its own, so that the answer is not abandoned before it begins.
        case lead(Flight, SharedAnswer.Reader)
        case join(SharedAnswer.Reader)
    }

    struct Name: Hashable {
        let key: CacheKey
        let variant: UInt8
    }

    private let largestCount: Int
    private let flights = Locked<[Name: SharedAnswer]>([:])

    /// Of more than `largestCount` at once the further ones are made for one asker each.
    package init(largestCount: Int = 100_000) { self.largestCount = largestCount }

    package var count: Int { flights.withLock { $0.count } }

    /// The place of one who asks on `loop`. `variant` tells answers of one key apart that differ in form: what is streamed
    /// and what is not.
    ///
    /// Who leads has to make the answer. Who joins one that fails before its first piece
    /// (`SharedAnswerFailure.neverBegan`) asks again here: one of them leads then.
    package func join(
        _ key: CacheKey, variant: UInt8, on loop: EventLoop, largestBytes: Int, highWater: Int
    ) -> Place {
        let name = Name(key: key, variant: variant)
        return flights.withLock { flights in
            let known = flights[name]
            if let reader = known?.subscribe(on: loop) { return .join(reader) }
            let answer = SharedAnswer(on: loop, largestBytes: largestBytes, highWater: highWater)
            if known != nil || flights.count < largestCount { flights[name] = answer }
            guard let reader = answer.subscribe(on: loop) else {
                preconditionFailure("nobody has closed an answer that nobody knows")
            }
            return .lead(Flight(answer, name, self), reader)
        }
    }

    /// Nobody joins it any more.
    func remove(_ name: Name, _ answer: SharedAnswer) {
        flights.withLock { flights in
            if flights[name] === answer { flights[name] = nil }
        }
    }
}

/// An answer that the holder has to make, for itself and for those who join. One that is let go of without an end has
/// failed.
package final class Flight: Sendable {
    package let answer: SharedAnswer
    private let name: FlightTable.Name
    private let table: FlightTable

    /// Who was to make the answer is gone.
    package struct Forsaken: Error {}

    init(_ answer: SharedAnswer, _ name: FlightTable.Name, _ table: FlightTable) {
        self.answer = answer
        self.name = name
        self.table = table
    }

    deinit { fail(Forsaken()) }

    /// Lets nobody join any more. Those who have go on.
    package func close() { table.remove(name, answer) }

    /// Whoever asks the same from now on finds what was stored, or leads.
    package func finish() {
        close()
        answer.finish()
    }

    package func fail(_ error: any Error) {
        close()
        answer.fail(error)
    }
}
