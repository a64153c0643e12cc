import Base
import Loop
import TestKit
import Testing

@testable import Cache

struct FlightTableTests {
    private struct Broken: Error {}

    private func key(_ number: UInt8) -> CacheKey { CacheKey(bytes: [UInt8](repeating: number, count: 32)) }

    private func join(
        _ table: FlightTable, _ number: UInt8, variant: UInt8 = 0, on loop: EventLoop
    ) -> FlightTable.Place {
        table.join(key(number), variant: variant, on: loop, largestBytes: 100, highWater: 50)
    }

    private func leads(_ place: FlightTable.Place) -> Bool {
        if case .lead = place { true } else { false }
    }

    @Test func `the first leads, others read along, whoever comes after the end leads again`() async throws {
        try await onLoop { loop in
            let table = FlightTable()
            guard case .lead(let flight, let own) = join(table, 1, on: loop),
                case .join(let reader) = join(table, 1, on: loop)
            else {
                Issue.record("one should lead and one join")
                return
            }
            #expect(leads(join(table, 2, on: loop)))
            #expect(flight.answer.readerCount == 2)
            flight.answer.begin("head")
            flight.answer.append([1, 2])
            flight.finish()
            #expect(table.count == 0)
            for reader in [own, reader] {
                let head = try await reader.head()
                #expect(head == "head")
                #expect(try await reader.next() == [1, 2])
                #expect(try await reader.next() == nil)
            }
            #expect(leads(join(table, 1, on: loop)))
        }
    }

    @Test func `what differs in form is not shared`() async throws {
        try await onLoop { loop in
            let table = FlightTable()
            let places = [0, 1, 2].map { join(table, 1, variant: $0, on: loop) }
            #expect(places.allSatisfy(leads))
            #expect(table.count == 3)
        }
    }

    @Test func `who is let go of has failed, and the next leads`() async throws {
        try await onLoop { loop in
            let table = FlightTable()
            var place: FlightTable.Place? = join(table, 1, on: loop)
            guard case .join(let reader) = join(table, 1, on: loop) else {
                Issue.record("the second should join")
                return
            }
            #expect(place != nil)
            place = nil
            #expect(table.count == 0)
            do throws(SharedAnswerFailure) {
                _ = try await reader.next()
                Issue.record("there is nothing to read")
            } catch {
                guard case .neverBegan(is Flight.Forsaken) = error else {
                    Issue.record("\(error)")
                    return
                }
            }
            #expect(leads(join(table, 1, on: loop)))
        }
    }

    @Test func `an answer that everybody has left, or that is not kept, is made anew`() async throws {
        try await onLoop { loop in
            let table = FlightTable()
            guard case .lead(let old, let reader) = join(table, 1, on: loop) else {
                Issue.record("the first should lead")
                return
            }
            reader.leave()
            guard case .lead(let new, let own) = join(table, 1, on: loop) else {
                Issue.record("nobody reads the first any more")
                return
            }
            // The end of the old one does not take the new one with it.
            old.fail(Broken())
            #expect(table.count == 1)
            new.answer.begin("")
            new.answer.append([UInt8](repeating: 0, count: 101))
            #expect(leads(join(table, 1, on: loop)))
            // Those who were there read on.
            let piece = try await own.next()
            #expect(piece?.count == 101)
        }
    }

    @Test func `a closed flight takes nobody, and goes on`() async throws {
        try await onLoop { loop in
            let table = FlightTable()
            guard case .lead(let flight, let reader) = join(table, 1, on: loop) else {
                Issue.record("the first should lead")
                return
            }
            flight.close()
            let second = join(table, 1, on: loop)
            #expect(leads(second))
            flight.answer.begin("")
            flight.answer.append([1])
            flight.finish()
            let piece = try await reader.next()
            #expect(piece == [1])
            #expect(table.count == 1)
        }
    }

    @Test func `a full table lets everybody lead`() async throws {
        try await onLoop { loop in
            let table = FlightTable(largestCount: 2)
            let places = [1, 2, 3, 3].map { join(table, $0, on: loop) }
            #expect(places.allSatisfy(leads))
            #expect(table.count == 2)
            #expect(!leads(join(table, 1, on: loop)))
        }
    }
}
