import Base
import Chat
import Loop
import Metering
import Providers
import TestKit
import Testing

@testable import Gateway

/// What whoever counts learns of everything that is asked of providers.
struct AttemptReportTests {
    /// Something that can be asked, with what a provider says to it.
    struct Question: Sendable, CustomTestStringConvertible {
        var kind: AttemptReport.Kind
        var path: String
        var body: String
        var answer: String
        var silentAnswer: String
        var told: ChatUsage?
        var guessed: ClosedRange<Int>?
        var imageCount = 0

        var testDescription: String { kind.rawValue }
    }

    private static let words = String(repeating: "honey ", count: 40)

    static let questions = [
        Question(
            kind: .chat, path: "/v1/chat/completions",
            body: #"{"model":"p/x","messages":[{"role":"user","content":"\#(words)"}]}"#,
            answer:
                #"{"choices":[{"index":0,"message":{"content":"yes"}}],"usage":{"prompt_tokens":40,"completion_tokens":12}}"#,
            silentAnswer: #"{"choices":[{"index":0,"message":{"content":"yes"}}]}"#,
            told: ChatUsage(input: 40, output: 12), guessed: 30...90),
        Question(
            kind: .embedding, path: "/v1/embeddings", body: #"{"model":"p/x","input":["\#(words)","bee"]}"#,
            answer:
                #"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[2]}],"usage":{"prompt_tokens":41,"total_tokens":41}}"#,
            silentAnswer: #"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[2]}]}"#,
            told: ChatUsage(input: 41), guessed: 30...90),
        Question(
            kind: .image, path: "/v1/images/generations",
            body: #"{"model":"p/x","prompt":"\#(words)","n":2}"#,
            answer:
                #"{"data":[{"b64_json":"AA=="},{"b64_json":"AA=="}],"usage":{"input_tokens":50,"output_tokens":800,"input_tokens_details":{"text_tokens":20,"image_tokens":30}}}"#,
            silentAnswer: #"{"data":[{"b64_json":"AA=="},{"b64_json":"AA=="}]}"#,
            told: {
                var usage = ChatUsage(input: 20)
                usage.imageInput = 30
                usage.imageOutput = 800
                return usage
            }(), guessed: 30...90, imageCount: 2),
        Question(
            kind: .tokenCount, path: "/v1/messages/count_tokens",
            body: #"{"model":"p/x","messages":[{"role":"user","content":"\#(words)"}]}"#,
            answer: #"{"input_tokens":44}"#, silentAnswer: #"{"input_tokens":44}"#),
    ]

    private static func answer(_ body: String, status: String = "200 OK") -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nConnection: close\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// One that answers its requests with `answers` in turn, and the last of them from then on. nil: not at all.
    private static func script(_ answers: [String?]) -> GatewayWorld.Script {
        let count = Locked(0)
        return { peer in
            guard let head = try await peer.head() else { return }
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }?
                .split(separator: " ").last
            _ = try await peer.read(length.flatMap { Int($0) } ?? 0)
            let turn = count.withLock { count in
                defer { count += 1 }
                return min(count, answers.count - 1)
            }
            guard let answer = answers[turn] else { return try await peer.waitForClose() }
            try await peer.write(answer)
            if answer.hasSuffix("…") { try await peer.waitForClose() }
        }
    }

    /// What is reported when `answers` come, or when the client leaves after a while.
    private func reports(
        of question: Question, to answers: [String?], leaving: Bool = false,
        images: any ImageCodec = OpenAIImageCodec()
    ) async throws -> [AttemptReport] {
        let reports = Locked<[AttemptReport]>([])
        let scripts = ["p": Self.script(answers)]
        let isCount = question.kind == .tokenCount
        try await GatewayWorld.run(
            upstreams: scripts,
            settings: { settings in
                if isCount { settings.chat = AnthropicCodec() }
                settings.embeddings = OpenAIEmbeddingCodec()
                settings.images = images
            },
            { world in
                world.onReport = { report in reports.withLock { $0.append(report) } }
                let fields = [(name: "Authorization", value: "Bearer \(world.key())")]
                let client = world.loop.spawn {
                    _ = try? await world.send("POST", question.path, fields, body: question.body)
                }
                if leaving {
                    try await world.loop.sleep(for: .milliseconds(300))
                    client.cancel()
                }
                await client.value
                let deadline = Instant.now() + .seconds(20)
                while reports.withLock({ $0.isEmpty }), Instant.now() < deadline {
                    try await world.loop.sleep(for: .milliseconds(5))
                }
            })
        return reports.withLock { $0 }
    }

    @Test(arguments: questions)
    func `an answer is reported once, with what the provider says that it took`(_ question: Question)
        async throws
    {
        let reports = try await reports(of: question, to: [Self.answer(question.answer)])
        #expect(reports.count == 1)
        let report = try #require(reports.first)
        #expect(report.kind == question.kind && report.outcome == .answered && report.number == 1)
        #expect(report.usage == question.told)
        #expect(report.imageCount == question.imageCount)
        #expect(report.provider == "p" && report.model == "p/x" && report.timeToFirstByte != nil)
    }

    @Test(arguments: questions)
    func `where the provider is silent about tokens, they are guessed if they are what it counts`(
        _ question: Question
    ) async throws {
        let reports = try await reports(of: question, to: [Self.answer(question.silentAnswer)])
        let report = try #require(reports.first)
        #expect(report.imageCount == question.imageCount)
        if question.kind == .image || question.kind == .tokenCount {
            #expect(report.usage == nil)
        } else {
            try expectGuess(report, question)
        }
    }

    @Test(arguments: questions)
    func `what was refused has used nothing, and is reported`(_ question: Question) async throws {
        let reports = try await reports(of: question, to: [Self.answer("{}", status: "400 No")])
        #expect(reports.count == 1)
        let report = try #require(reports.first)
        #expect(report.kind == question.kind && report.outcome == .failed)
        #expect(report.usage == nil && report.imageCount == 0 && report.timeToFirstByte == nil)
    }

    @Test(arguments: questions)
    func `an answer that cannot be read may have cost what was asked for`(_ question: Question) async throws {
        let reports = try await reports(of: question, to: [Self.answer("honey")])
        #expect(reports.map(\.outcome).allSatisfy { $0 == .failed } && !reports.isEmpty)
        for report in reports { try expectGuess(report, question) }
    }

    @Test(arguments: questions, [nil, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n…"])
    func `a client that leaves may have cost what it asked for`(_ question: Question, _ beginning: String?)
        async throws
    {
        let reports = try await reports(of: question, to: [beginning], leaving: true)
        #expect(reports.count == 1)
        let report = try #require(reports.first)
        #expect(report.outcome == .abandoned && report.kind == question.kind)
        try expectGuess(report, question)
    }

    @Test(arguments: questions)
    func `of two attempts of which one fails each is reported once`(_ question: Question) async throws {
        let reports = try await reports(
            of: question, to: [Self.answer("{}", status: "500 Oops"), Self.answer(question.answer)])
        #expect(reports.map(\.number) == [1, 2])
        #expect(reports.map(\.outcome) == [.failed, .answered])
        #expect(reports.map(\.usage) == [nil, question.told])
        #expect(reports.map(\.imageCount) == [0, question.imageCount])
        #expect(Set(reports.map(\.requestID)).count == 1)
    }

    @Test func `images that are drawn one at a time are reported one at a time`() async throws {
        let question = Self.questions[2]
        let image = Self.answer(#"{"image":"AA==","finish_reason":"SUCCESS"}"#)
        let drawn = try await reports(
            of: Question(kind: .image, path: question.path, body: Self.cores, answer: "", silentAnswer: ""),
            to: [image], images: StabilityCodec())
        #expect(drawn.map(\.number) == [1, 2, 3])
        #expect(drawn.map(\.imageCount) == [1, 1, 1])
        #expect(drawn.allSatisfy { $0.outcome == .answered && $0.usage == nil })
    }

    @Test func `an image that the provider does not show costs nothing`() async throws {
        let refusal = Self.answer(#"{"finish_reason":"CONTENT_FILTERED"}"#)
        let drawn = try await reports(
            of: Question(
                kind: .image, path: "/v1/images/generations", body: Self.cores, answer: "", silentAnswer: ""),
            to: [refusal], images: StabilityCodec())
        #expect(drawn.count == 1 && drawn[0].outcome == .failed)
        #expect(drawn[0].imageCount == 0 && drawn[0].usage == nil)
    }

    private static let cores = #"{"model":"p/core","prompt":"bees","n":3}"#

    @Test func `the sandbox is reported as any provider is`() async throws {
        let reports = Locked<[AttemptReport]>([])
        try await GatewayWorld.run { world in
            world.onReport = { report in reports.withLock { $0.append(report) } }
            let key = world.key()
            for more in ["", #","stream":true"#, #","n":2,"stream":true"#] {
                _ = try await world.complete("sandbox/echo", key: key, more)
            }
            _ = try await world.complete("sandbox/flaky", key: key, #","stream":true,"seed":2"#)
            _ = try await world.complete("sandbox/flaky", key: key, #","stream":true,"seed":1"#)
            let fields = [(name: "Authorization", value: "Bearer \(key)")]
            _ = try await world.send(
                "POST", "/v1/embeddings", fields, body: #"{"model":"sandbox/embed","input":"honey"}"#)
            _ = try await world.send(
                "POST", "/v1/images/generations", fields,
                body: #"{"model":"sandbox/image","prompt":"a bee","n":2}"#)
        }
        let all = reports.withLock { $0 }
        #expect(all.count == 7 && all.allSatisfy { $0.provider == "sandbox" && !$0.isOwnKey })
        guard all.count == 7 else { return }
        #expect(all.map(\.kind) == [.chat, .chat, .chat, .chat, .chat, .embedding, .image])
        let (whole, streamed, twice) = (all[0].usage, all[1].usage, all[2].usage)
        #expect(whole != nil && whole == streamed && whole?.isEstimated == false)
        #expect(twice?.input == whole?.input && (twice?.output ?? 0) > (whole?.output ?? 0))
        #expect(all[3].outcome == .failed && (all[3].usage?.output ?? 0) > 0)
        #expect(all[4].outcome == .failed && all[4].usage == nil)
        #expect((all[5].usage?.input ?? 0) > 0 && all[5].outcome == .answered)
        #expect(all[6].imageCount == 2)
    }

    @Test func `what was asked for is counted and logged by its kind`() {
        let metrics = Metrics()
        let observer = AttemptObserver(metrics: metrics, logger: .silent)
        var usage = ChatUsage(input: 7)
        usage.imageOutput = 90
        for kind in AttemptReport.Kind.allCases {
            for _ in 0..<2 {
                observer.note(
                    AttemptReport(
                        requestID: "r", organization: .make(), key: .make(), provider: "p", isOwnKey: false,
                        model: "p/x", kind: kind, number: 1, isStreaming: false, outcome: .answered,
                        usage: kind == .image ? usage : nil, imageCount: kind == .image ? 3 : 0,
                        timeToFirstByte: .milliseconds(5), duration: .milliseconds(9)))
            }
        }
        let text = String(decoding: metrics.render(), as: UTF8.self)
        for kind in ["chat", "embedding", "image", "token_count"] {
            let line =
                #"hivegate_provider_requests_total{provider="p",kind="\#(kind)",outcome="answered"} 2"#
            #expect(text.ranges(of: line + "\n").count == 1, "\(kind)")
        }
        #expect(text.contains(#"hivegate_images_total{provider="p"} 6"#))
        #expect(text.contains(#"hivegate_tokens_total{provider="p",kind="image_output"} 180"#))
    }

    private func expectGuess(_ report: AttemptReport, _ question: Question) throws {
        #expect(report.imageCount == question.imageCount)
        guard let guessed = question.guessed else {
            #expect(report.usage == nil)
            return
        }
        let usage = try #require(report.usage)
        #expect(usage.isEstimated && guessed.contains(usage.input), "\(usage)")
    }
}
