import Admission
import Base
import Cache
import HTTPServer
import HTTPWire
import Loop
import Providers
import Redis

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
                return try await lead(call, cache, LeadingAnswer(flight, reader, call.exchange), make)
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
        _ call: ChatCall, _ cache: CallCache, _ answer: LeadingAnswer, _ make: () async throws -> Void
    ) async throws {
        call.client.lead = answer
        do {
            if try await !isAnsweredElsewhere(call, cache) { try await make() }
            try await call.client.finish()
        } catch {
            await call.client.beforeEnd?.run()
            await cache.lease?.release()
            await answer.fail(error)
            throw error
        }
        await answer.finish()
    }

    // MARK: Other processes

    /// Answers with what another process is making, if one is. Otherwise this one makes it, and others wait.
    private func isAnsweredElsewhere(_ call: ChatCall, _ cache: CallCache) async throws -> Bool {
        guard gatekeeper.hasOtherProcesses, cache.decision.mayStore else { return false }
        let found: (lease: AnswerLease?, entry: RedisValue)
        do throws(RedisError) {
            found = try await AnswerLease.take(answers, for: cache, on: loop)
        } catch { return false }
        cache.lease = found.lease
        // Another may have made it since we looked.
        if try await say(found.entry, to: call, cache) { return true }
        return cache.lease == nil ? try await waitForOthers(call, cache) : false
    }

    /// Says whether what is kept was an answer.
    private func say(_ entry: RedisValue, to call: ChatCall, _ cache: CallCache) async throws -> Bool {
        guard let (answer, output) = find(call, cache, in: entry, at: time.timestamp()) else { return false }
        cache.recording?.discard()
        name(answer, as: "COALESCED", at: time.timestamp(), call.exchange)
        call.attempts.kept = answer.kept
        count(cache) { $0.coalesced = 1 }
        try await output.send(to: call)
        return true
    }

    /// What is waited for comes with Redis, so it is looked for again and again.
    @inline(never)
    private func waitForOthers(_ call: ChatCall, _ cache: CallCache) async throws -> Bool {
        let end = time.instant() + Self.patience
        var nextSign = time.instant() + limits.silence
        var pause = Self.firstPause
        while time.instant() < end {
            try await loop.sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
            let found: (lease: AnswerLease?, entry: RedisValue)
            do throws(RedisError) {
                found = try await AnswerLease.take(answers, for: cache, on: loop)
            } catch { return false }
            cache.lease = found.lease
            // What was made is kept before the lease is given back.
            if try await say(found.entry, to: call, cache) { return true }
            if found.lease != nil { return false }
            if call.outline.isStreaming, time.instant() >= nextSign {
                nextSign = time.instant() + limits.silence
                try await call.client.keepAlive()
            }
        }
        return false
    }

    /// One that takes longer is made here too.
    private static let patience = Duration.seconds(60)
    private static let firstPause = Duration.milliseconds(10)
    private static let longestPause = Duration.milliseconds(100)

    /// Says whether it was an answer.
    private func read(
        _ reader: SharedAnswer.Reader, for call: ChatCall, _ cache: CallCache
    ) async throws -> Bool {
        let exchange = call.exchange
        do {
            let head = try await reader.head()
            exchange.responseFields.append(contentsOf: head.fields.ofServer)
            exchange.responseFields.replace(known: "X-Cache", "COALESCED")
            call.attempts.kept = head.kept
            count(cache) { $0.coalesced = 1 }
            if call.outline.isStreaming {
                while let piece = try await reader.next() {
                    if reader.hasAll {
                        try await call.client.end(piece)
                    } else {
                        try await call.client.write(piece)
                    }
                }
            } else {
                var body: [UInt8] = []
                while let piece = try await reader.next() { body += piece }
                call.client.respond(200, body, type: head.type)
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

extension HTTPFields {
    /// Those that say who answered, and how.
    fileprivate var ofServer: HTTPFields {
        var fields = HTTPFields()
        for (name, value) in pairs {
            let known = name.lowercased()
            guard known.hasPrefix("x-hivegate-") || known == "x-cache-similarity" else { continue }
            fields.append(name, value)
        }
        return fields
    }
}
