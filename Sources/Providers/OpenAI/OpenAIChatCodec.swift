package import Chat
package import JSON

/// Upstreams that speak OpenAI's chat dialect, or nearly.
package struct OpenAIChatCodec: ChatCodec {
    package let quirks: OpenAIQuirks

    package init(_ quirks: OpenAIQuirks = OpenAIQuirks()) { self.quirks = quirks }

    package var dialect: ChatDialect { .openAIChat }

    package func encode(
        _ request: ChatRequest, for target: ChatTarget
    ) throws(UpstreamRequest.Unsayable) -> UpstreamRequest {
        var writer = OpenAIChatRequestWriter(quirks)
        try writer.write(request, model: target.model)
        return UpstreamRequest(path: "/chat/completions", body: writer.json.bytes, omitted: writer.omitted)
    }

    package func forward(
        _ document: JSONDocument, _ outline: ChatOutline, for target: ChatTarget
    ) -> UpstreamRequest? {
        var edits: [JSONEdit] = [.replace(["model"], .json(target.model))]
        if !quirks.takesStreamOptions {
            edits.append(.remove(["stream_options"]))
        } else if outline.isStreaming, !outline.includesUsage {
            if document["stream_options"].present == nil {
                edits.append(.set(["stream_options"], Array(#"{"include_usage":true}"#.utf8)))
            } else {
                edits.append(.set(["stream_options", "include_usage"], Array("true".utf8)))
            }
        }
        switch quirks.limitField {
        case .maxTokens: rename("max_completion_tokens", to: "max_tokens", in: document, &edits)
        case .maxCompletionTokens: break
        }
        switch quirks.seedField {
        case .randomSeed: rename("seed", to: "random_seed", in: document, &edits)
        case .seed: break
        }
        if !quirks.knowsDeveloperRole {
            for (index, message) in (document["messages"]?.elements ?? JSONElements.none).enumerated()
            where message["role"]?.stringEquals("developer") ?? false {
                edits.append(.replace(["messages", .index(index), "role"], .json("system")))
            }
        }
        do {
            return UpstreamRequest(path: "/chat/completions", body: try document.patched(edits))
        } catch {
            preconditionFailure("each place was found in this document: \(error)")
        }
    }

    private func rename(
        _ name: StaticString, to other: StaticString, in document: JSONDocument, _ edits: inout [JSONEdit]
    ) {
        guard let value = document[name].present, document[other].present == nil else { return }
        edits.append(.remove([.key("\(name)")]))
        edits.append(.set([.key("\(other)")], Array(value.bytes)))
    }

    package func usage(of answer: JSONValue) throws(UpstreamFault) -> ChatUsage? {
        // OpenRouter reports some errors as a success.
        if let error = answer["error"].present { throw OpenAIFault.read(error, status: nil) }
        return OpenAIUsage.find(in: answer)
    }

    package func watcher(_ outline: ChatOutline) -> any StreamWatcher {
        OpenAIChatWatcher(showsUsage: outline.includesUsage)
    }

    package func decode(_ body: [UInt8]) throws(UpstreamFault) -> ChatReply {
        let root = try JSONDocument(upstream: body).root
        if let error = root["error"], !error.isNull { throw OpenAIFault.read(error, status: nil) }
        guard let choice = root["choices"]?.element(0), let message = choice["message"],
            message.kind == .object
        else {
            throw .garbled("a completion without a message", usage: OpenAIUsage.find(in: root))
        }
        var events: [ChatEvent] = [.began(id: root["id"]?.string, model: root["model"]?.string)]
        var reader = OpenAIChatReplyReader()
        reader.read(message, into: &events)
        // Perplexity's sources stand beside the choices.
        for source in root["citations"]?.elements ?? JSONElements.none {
            if let url = source.string { events.append(.citation(ChatCitation(url: url))) }
        }
        guard
            let finish = OpenAIChatReplyReader.finish(choice["finish_reason"], hasCalls: reader.hasCalls)
        else {
            throw .garbled(
                "a completion without a reason to end", usage: OpenAIUsage.find(in: root))
        }
        events.append(.finished(finish))
        if let usage = OpenAIUsage.find(in: root) { events.append(.usage(usage)) }
        var assembler = ReplyAssembler()
        for event in events { assembler.take(event) }
        guard let reply = assembler.reply else { throw .garbled("a completion without an end") }
        return reply
    }

    package func streamDecoder() -> any ChatStreamDecoder { OpenAIChatStreamDecoder() }

    package func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        OpenAIFault.read(status: status, body)
    }
}

extension [UInt8] {
    /// A string as JSON.
    static func json(_ text: String) -> [UInt8] {
        var json = JSONWriter(capacity: text.utf8.count + 2)
        json.value(text)
        return json.bytes
    }
}
