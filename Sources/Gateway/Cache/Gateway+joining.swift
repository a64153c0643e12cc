import Base
import Cache
import HTTPServer
import HTTPWire
import Providers

/// Several who ask the same at the same time, and are answered by one.
extension Gateway {
    /// Answers `call` by what is being said to another who asks the same, or leads: then `make` makes the answer for all.
    func answerTogether(_ call: ChatCall, _ cache: CallCache, _ make: () async throws -> Void) async throws {
        for _ in 0..<Self.mostAttempts {
            switch flights.join(
                cache.key, variant: call.variant, on: loop, largestBytes: Self.largestShared,
                highWater: Self.furthestAhead)
            {
            case .lead(let flight, let reader):
                return try await lead(call, LeadingAnswer(flight, reader, call.exchange), make)
            case .join(let reader):
                if try await read(reader, for: call, cache) { return }
            }
        }
        try await make()
    }

    /// Who has twice waited for answers that failed asks by itself.
    private static let mostAttempts = 2
    /// Of an answer that others may still join.
    private static let largestShared = 1 << 20
    /// The fastest who reads is no further behind.
    private static let furthestAhead = 256 << 10

    private func lead(
        _ call: ChatCall, _ answer: LeadingAnswer, _ make: () async throws -> Void
    ) async throws {
        call.client.lead = answer
        do { try await make() } catch {
            await answer.fail(error)
            throw error
        }
        await answer.finish()
    }

    /// Says whether it was an answer.
    private func read(
        _ reader: SharedAnswer<AnswerHead>.Reader, for call: ChatCall, _ cache: CallCache
    ) async throws -> Bool {
        let exchange = call.exchange
        do {
            let head = try await reader.head()
            exchange.responseFields.append(contentsOf: head.fields)
            exchange.responseFields.replace("X-Cache", "COALESCED")
            count(cache) { $0.coalesced = 1 }
            if call.outline.isStreaming {
                while let piece = try await reader.next() { try await call.client.write(piece) }
            } else {
                var body: [UInt8] = []
                while let piece = try await reader.next() { body += piece }
                exchange.respond(200, ["Content-Type": head.type], body: body)
            }
            return true
        } catch let failure as SharedAnswerFailure {
            switch failure {
            case .neverBegan(let error):
                // What is wrong with the question is wrong with it for all.
                if Self.isOfQuestion(error) { throw error }
                return false
            case .brokeOff(let error):
                // The end that its maker wrote is there: nothing more is to be said.
                if call.client.hasBegun { return true }
                throw error
            // Too slow to have all of it: the stream breaks off.
            case .fellBehind: throw failure
            case .cancelled: throw CancellationError()
            }
        }
    }

    private static func isOfQuestion(_ error: any Error) -> Bool {
        (400..<500).contains(ErrorResponder.problem(error).kind.status)
            && ErrorResponder.problem(error).kind != .rateLimited
    }
}

extension ChatCall {
    /// Answers of these are not the same bytes.
    fileprivate var variant: UInt8 {
        guard outline.isStreaming else { return 0 }
        return outline.includesUsage ? 2 : 1
    }
}
