import Base
import Chat
import HTTPClient
import HTTPServer
import HTTPWire
import Identity
import JSON
import Providers

/// One request to one provider for a call: passed on where client and provider speak the same dialect, translated where
/// they do not.
// Confined to its loop.
final class UpstreamAttempt: @unchecked Sendable {
    private let call: ChatCall
    private let candidate: Candidate
    private let upstream: Upstream
    private let largestAnswer: Int
    private let upstreamRequest: UpstreamRequest
    private let isForwarded: Bool
    private let codec: any ChatCodec
    private let record = AttemptRecord()
    /// For those who ask the same later.
    private var recording: AnswerRecording? { call.cache?.recording }

    /// Throws a `Problem` where the request cannot be said in the provider's dialect, or is none.
    init(
        _ call: ChatCall, _ candidate: Candidate, _ upstream: Upstream, _ chat: any ChatCodec,
        limits: Gateway.Limits
    ) throws {
        self.call = call
        self.candidate = candidate
        self.upstream = upstream
        largestAnswer = limits.largestAnswer
        if call.mayBeForwarded, chat.dialect == call.front.dialect,
            let request = chat.forward(call.document, call.outline, for: candidate.target)
        {
            if upstream.settings.owner == nil, !limits.sharesProviderState { try Self.refuseState(call) }
            upstreamRequest = Self.withFields(of: call, request)
            isForwarded = true
            codec = chat
            return
        }
        isForwarded = false
        let (request, foreign) = try call.request().leavingOutForeign(for: chat.dialect)
        codec = chat.codec(for: candidate.target, answering: request)
        do throws(UpstreamRequest.Unsayable) {
            upstreamRequest = try codec.encode(request, for: candidate.target)
        } catch {
            throw CallFailure(Problem(error), .elsewhere)
        }
        let omitted = (foreign + upstreamRequest.omitted).prefix(Self.mostOmitted).map(Self.sendable)
        if !omitted.isEmpty {
            call.exchange.responseFields.replace("X-Hivegate-Omitted", omitted.joined(separator: ", "))
        }
    }

    /// On the instance's account an id is all that stands between an organization's conversations and another's.
    private static func refuseState(_ call: ChatCall) throws(CallFailure) {
        guard call.front.dialect == .openAIResponses else { return }
        let kept = [
            ("previous_response_id", call.document["previous_response_id"]),
            ("conversation", call.document["conversation"]),
        ].first { $0.1.map { !$0.isNull } ?? false }
        guard let (field, _) = kept else { return }
        throw CallFailure(
            Problem(
                .invalidRequest, code: "state_is_shared",
                "\(field): the provider keeps it for an account that others use too. Send the whole conversation in "
                    + "input, or store a key of the organization's own (POST /api/v1/credentials).",
                field: field),
            .elsewhere)
    }

    private static let mostOmitted = 32

    /// Some of it is in the client's words, of which not all can be in a field.
    private static func sendable(_ name: String) -> String {
        String(decoding: name.utf8.prefix(64).map { (0x21...0x7E).contains($0) ? $0 : 0x3F }, as: UTF8.self)
    }

    /// With the fields in which a client says which features of the provider it wants.
    private static func withFields(of call: ChatCall, _ request: UpstreamRequest) -> UpstreamRequest {
        var request = request
        for name in call.front.forwardedFields {
            guard let value = call.exchange.request.fields[name] else { continue }
            request.fields.removeAll { $0.name == name }
            request.fields.append((name, String(decoding: value, as: UTF8.self)))
        }
        return request
    }

    func send(by gateway: Gateway) async throws {
        let client = call.client
        recording?.begin()
        let silence =
            call.outline.isStreaming
            ? HTTPClientRequest.Silence(after: gateway.limits.silence) { try await client.keepAlive() } : nil
        do {
            try await gateway.send(
                upstreamRequest, to: upstream, of: candidate, for: call.attempts, silence: silence,
                cost: { _ in Attempt.Cost(usage: record.usage(for: call.readableRequest)) },
                fault: { codec.fault(status: $0, body: $1) },
                read: { response, began in
                    gateway.nameServer(candidate, attempts: call.attempts, call.exchange)
                    do {
                        try await answer(response, began: began)
                    } catch let fault as UpstreamFault {
                        record.take(fault.usage)
                        throw fault
                    }
                })
        } catch let failure as CallFailure {
            // Words of another dialect would say nothing to the client.
            throw isForwarded && failure.isClients ? failure : failure.withoutAnswer
        }
    }

    // MARK: What comes back

    /// Gives the client the answer; `began` is called when its first byte has come.
    private func answer(_ response: HTTPClientResponse, began: () -> Void) async throws {
        let isStream =
            call.outline.isStreaming && !(response["content-type"] ?? "").hasPrefix("application/json")
        switch (isForwarded, isStream) {
        case (true, true): try await relay(response, began)
        case (false, true): try await translateStream(response, began)
        case (_, false):
            let body = try await response.body(limit: largestAnswer)
            began()
            if isForwarded, !call.outline.isStreaming {
                try pass(body, response)
            } else {
                try await translate(body)
            }
        }
    }

    // MARK: Whole

    private func pass(_ body: [UInt8], _ response: HTTPClientResponse) throws {
        let document: JSONDocument
        do throws(JSONError) { document = try JSONDocument(parsing: body) } catch {
            throw UpstreamFault.garbled("not valid JSON: \(error)")
        }
        guard document.root.kind == .object else { throw UpstreamFault.garbled("no JSON object") }
        let usage = try codec.usage(of: document.root)
        record.take(usage)
        if usage == nil {
            // What we cannot read passes nevertheless, and counts as nothing said.
            do throws(UpstreamFault) { try codec.decode(body).events.forEach(record.take) } catch {}
        }
        let type = response["content-type"] ?? "application/json"
        recording?.take(body, dialect: codec.dialect, contentType: type)
        try call.deliver(body, type: type) { body throws(UpstreamFault) in try codec.decode(body) }
    }

    private func translate(_ body: [UInt8]) async throws {
        var reply = try codec.decode(body)
        reply.events.forEach(record.take)
        // Some dialects have no way not to say it.
        reply.usage = record.usage(for: call.readableRequest)
        if let recording { reply.events.forEach(recording.take) }
        guard call.outline.isStreaming else { return try call.deliver(reply) }
        let context = try call.context()
        var encoder = call.front.streamEncoder(context)
        var output: [UInt8] = []
        for event in reply.events { encoder.encode(event, into: &output) }
        try await call.client.write(output)
        output.removeAll()
        encoder.end(into: &output)
        try await call.client.end(output)
    }

    // MARK: Streams

    private func relay(_ response: HTTPClientResponse, _ began: () -> Void) async throws {
        var relay = StreamRelay(codec.watcher(call.outline))
        defer {
            record.take(relay, read: codec)
            call.client.teller = .watcher(relay.watcher)
        }
        let type = response["content-type"] ?? "text/event-stream"
        while let piece = try await response.next() {
            began()
            recording?.take(piece, ofStream: codec.dialect, contentType: type)
            var output: [UInt8] = []
            do throws(UpstreamFault) { try relay.take(piece, into: &output) } catch {
                try await breakOff(after: output)
                throw error
            }
            try await call.client.write(output)
            if let ending = relay.takeEnding() {
                try await call.client.end(ending)
                // Who has got the end may leave: what was asked for is answered.
                await response.discardRest()
                break
            }
        }
        var output: [UInt8] = []
        try relay.end(into: &output)
        recording?.end()
        try await call.client.end(output)
    }

    private func translateStream(_ response: HTTPClientResponse, _ began: () -> Void) async throws {
        var decoder = codec.streamDecoder()
        var encoder = call.front.streamEncoder(try call.context())
        defer { call.client.teller = .encoder(encoder) }
        var events: [ChatEvent] = []
        var output: [UInt8] = []
        func encodeEvents() {
            for event in events {
                record.take(event)
                recording?.take(event)
                encoder.encode(event, into: &output)
            }
            events.removeAll(keepingCapacity: true)
        }
        while let piece = try await response.next() {
            began()
            do throws(UpstreamFault) { try decoder.take(piece, into: &events) } catch {
                encodeEvents()
                try await breakOff(after: output)
                throw error
            }
            encodeEvents()
            try await call.client.write(output)
            output.removeAll(keepingCapacity: true)
        }
        try decoder.end(into: &events)
        if !record.hasUsage { events.append(.usage(record.usage(for: call.readableRequest))) }
        encodeEvents()
        try await call.client.write(output)
        output.removeAll(keepingCapacity: true)
        encoder.end(into: &output)
        try await call.client.end(output)
    }

    /// What came together with a fault is worth nothing to a client that has got nothing yet: another may answer.
    private func breakOff(after output: [UInt8]) async throws {
        if call.client.hasBegun { try await call.client.write(output) }
    }
}
