package import Chat
package import JSON

/// OpenAI's Responses API, as we speak it with upstreams.
///
/// What is translated is never kept by the provider: each request says all of the conversation. A client of this dialect
/// may have it kept.
package struct OpenAIResponsesCodec: ChatCodec {
    package let quirks: OpenAIResponsesQuirks

    package init(_ quirks: OpenAIResponsesQuirks = OpenAIResponsesQuirks()) { self.quirks = quirks }

    package var dialect: ChatDialect { .openAIResponses }

    package func encode(_ request: ChatRequest, for target: ChatTarget) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        var writer = OpenAIResponsesRequestWriter(quirks)
        try writer.write(request, for: target)
        return UpstreamRequest(path: "/responses", body: writer.json.bytes, omitted: writer.omitted)
    }

    package func forward(
        _ document: JSONDocument, _ outline: ChatOutline, for target: ChatTarget
    ) -> UpstreamRequest? {
        var edits: [JSONEdit] = [.replace(["model"], .json(target.model))]
        if !quirks.keepsResponses, document["store"]?.bool == true { edits.append(.remove(["store"])) }
        do {
            return UpstreamRequest(path: "/responses", body: try document.patched(edits))
        } catch {
            preconditionFailure("each place was found in this document: \(error)")
        }
    }

    package func usage(of answer: JSONValue) throws(UpstreamFault) -> ChatUsage? {
        // A response that has failed is one for clients of this dialect, who read what is in it.
        ChatUsage(openAIResponses: answer["usage"])
    }

    package func watcher(_ outline: ChatOutline) -> any StreamWatcher { OpenAIResponsesWatcher() }

    package func decode(_ body: [UInt8]) throws(UpstreamFault) -> ChatReply {
        let response = try JSONDocument(upstream: body).root
        guard response.kind == .object else { throw .garbled("not a JSON object") }
        var events: [ChatEvent] = []
        var ending = OpenAIResponsesEnding(response)
        if let fault = ending.fault { throw fault }
        guard let output = response["output"], output.kind == .array else {
            throw .garbled("a response without output")
        }
        events.append(.began(id: response["id"]?.string, model: response["model"]?.string))
        var reader = OpenAIResponsesOutput()
        for item in output.elements { try reader.append(item, to: &events) }
        ending.hasToolCalls = reader.callCount > 0
        guard let finish = ending.finish else {
            throw .garbled("a response that is \(response["status"]?.string ?? "not finished")")
        }
        events.append(.finished(finish))
        var assembler = ReplyAssembler()
        for event in events { assembler.take(event) }
        guard var reply = assembler.reply else { throw .garbled("a response that has not ended") }
        reply.usage = ending.usage
        return reply
    }

    package func streamDecoder() -> any ChatStreamDecoder { OpenAIResponsesStreamDecoder() }

    package func fault(status: Int, body: [UInt8]) -> UpstreamFault {
        OpenAIFault.read(status: status, body)
    }
}
