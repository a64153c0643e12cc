import Admission
import Base
import Cache
import Chat
import HTTPClient
import HTTPServer
import HTTPWire
import Identity
import Providers
import Redis

/// A question on its way to be compared with others.
// Confined to its loop.
final class SimilarSearch: @unchecked Sendable {
    let question: SemanticQuestion
    /// What makes its vector.
    let candidate: Candidate
    /// nil as long as it was not needed.
    var vector: QuestionVector?

    init(_ question: SemanticQuestion, by candidate: Candidate) {
        self.question = question
        self.candidate = candidate
    }
}

/// How many questions are being noted whose answers have been given already.
// Confined to its loop.
final class QuestionNotes: @unchecked Sendable {
    private static let largestCount = 64
    private var count = 0

    /// Runs `body`, unless there are too many.
    func run(_ body: () async -> Void) async {
        guard count < Self.largestCount else { return }
        count += 1
        defer { count -= 1 }
        await body()
    }
}

/// Answers that were given to what means the same.
extension Gateway {
    /// Answers `call` with what was said to another who asked in other words, if there is one. Says whether it did.
    func answerSimilar(_ call: ChatCall, _ cache: CallCache) async throws -> Bool {
        guard let search = try await search(for: call, cache) else { return false }
        let questions: [RedisValue]
        do throws(RedisError) {
            questions = try await answers.questions(in: search.question.frame, of: cache.organization)
        } catch {
            try Task.checkCancellation()
            return false
        }
        // Where there is nothing to compare with, the vector has time until the answer is there.
        if !questions.isEmpty {
            search.vector = await vector(of: search, for: call)
            try Task.checkCancellation()
            guard search.vector != nil else { return false }
        }
        cache.search = search
        guard let vector = search.vector else { return false }
        let neighbours = CacheStore.neighbours(
            of: vector, among: questions,
            thresholdThousandths: cache.comparison?.policy.thresholdThousandths ?? 1000)
        for neighbour in neighbours.prefix(Self.mostNeighbours) {
            if try await answer(call, cache, with: neighbour) { return true }
        }
        return false
    }

    /// Neighbours that are asked for their answers.
    private static let mostNeighbours = 4

    /// nil where the question cannot be compared with others.
    private func search(for call: ChatCall, _ cache: CallCache) async throws -> SimilarSearch? {
        guard let comparison = cache.comparison,
            let model = comparison.policy.embeddingModel ?? limits.semanticCacheModel,
            let question = SemanticQuestion(
                comparison.subject, turns: comparison.policy.turns, embeddedBy: model),
            let candidate = try await embedder(model, for: call.caller)
        else { return nil }
        return SimilarSearch(question, by: candidate)
    }

    /// Whoever makes vectors for an organization. Its policy says so, and so no key has to be for that model.
    private func embedder(_ model: String, for caller: Caller) async throws -> Candidate? {
        let anyOf = Caller(
            organization: caller.organization, user: caller.user, role: caller.role, key: caller.key,
            scopes: caller.scopes, ownRoutes: caller.ownRoutes, terms: caller.terms)
        let own = try await ownRoutes.routes(for: caller)
        do throws(Problem) {
            return try candidates(for: model, RouteWishes(), anyOf, own, priced: .vectors).first {
                candidate in
                switch candidate.place {
                case .sandbox(let model): model == .embed
                case .upstream(let upstream): upstream.settings.embeddings != nil
                }
            }
        } catch {
            return nil
        }
    }

    /// nil where it cannot be had in time: the question is then like no other.
    private func vector(of search: SimilarSearch, for call: ChatCall) async -> QuestionVector? {
        let request = EmbeddingRequest(model: search.candidate.id, inputs: [.text(search.question.text)])
        var deadlines = limits.upstream
        deadlines.total = limits.semanticPatience
        do {
            let reply = try await embed(
                request, by: search.candidate,
                for: CallAttempts(call.requestID, of: call.caller, .embedding), deadlines: deadlines)
            return reply.vectors.first.flatMap { QuestionVector($0) }
        } catch {
            logger.debug(
                "no vector for a question", ("request_id", "\(call.requestID)"), ("reason", "\(error)"))
            return nil
        }
    }

    /// Says whether there is an answer that may be given.
    private func answer(
        _ call: ChatCall, _ cache: CallCache, with neighbour: CacheStore.Neighbour
    ) async throws -> Bool {
        let found: CacheLookup
        do throws(RedisError) {
            found = try await answers.answer(to: neighbour, of: cache.organization)
        } catch {
            try Task.checkCancellation()
            return false
        }
        let now = time.timestamp()
        switch found {
        case .unavailable: return false
        case .found(let answer):
            guard cache.decision.mayGive(answer.keeping, at: now),
                let output = Self.output(answer, to: call)
            else { return false }
            name(answer, as: "SEMANTIC", at: now, call.exchange)
            call.exchange.responseFields.replace("X-Cache-Key", neighbour.key.text)
            call.exchange.responseFields.replace(
                "X-Cache-Similarity", Self.decimal(thousandths: neighbour.tenThousandths / 10))
            call.attempts.kept = answer.kept
            count(cache, answer.savings) { $0.semanticHits = 1 }
            try await output.send(to: call)
            return true
        case .none, .damaged:
            if let frame = cache.search?.question.frame {
                // What is left is looked at by the next one.
                try? await answers.forget(neighbour, in: frame, of: cache.organization)
            }
            return false
        }
    }

    private static func output(_ answer: CachedAnswer, to call: ChatCall) -> ReplayedAnswer? {
        do throws(UpstreamFault) { return try ReplayedAnswer(answer, to: call) } catch { return nil }
    }

    private static func decimal(thousandths: Int) -> String {
        let digits = String(1000 + thousandths % 1000).dropFirst()
        return "\(thousandths / 1000).\(digits)"
    }

    /// Notes where a question lies whose answer is kept now.
    func note(_ search: SimilarSearch, of call: ChatCall, _ cache: CallCache, _ permit: Permit) async {
        await questionNotes.run {
            var vector = search.vector
            if vector == nil { vector = await self.vector(of: search, for: call) }
            guard let vector else { return }
            // Without it others ask a provider.
            _ = try? await answers.note(
                vector, of: cache.key, in: search.question.frame, of: cache.organization,
                lifetimeSeconds: cache.decision.lifetimeSeconds, generation: permit.purges)
        }
    }
}
