import Base
package import Chat
import JSON

/// What a sandbox model answers where the request leaves it no choice.
package enum SandboxSpeech: Equatable, Sendable {
    /// JSON that fits what was asked for.
    case value(String)
    case call(ChatToolCall)

    /// nil where the model may say what it likes. Throws where nothing fits.
    package static func wanted(by request: ChatRequest) throws(Misfit) -> SandboxSpeech? {
        let seed = UInt64(bitPattern: Int64(request.sampling.seed ?? 0))
        if let function = forcedTool(of: request) {
            let arguments =
                try function.parameters.map { schema throws(Misfit) in try text(fitting: schema, seed) }
                ?? "{}"
            return .call(
                ChatToolCall(
                    id: "call_sandbox_\(request.messages.count)", name: function.name, arguments: arguments))
        }
        switch request.output {
        case .text: return nil
        case .json: return .value(#"{"sandbox":true}"#)
        case .schema(let output): return .value(try text(fitting: output.schema, seed))
        }
    }

    /// There is no value that the sandbox could say.
    package struct Misfit: Error, Equatable, Sendable {
        package let reason: String
    }

    private static func forcedTool(of request: ChatRequest) -> ChatTool.Function? {
        let functions = request.tools.compactMap { tool in
            if case .function(let function) = tool.kind { function } else { nil }
        }
        switch request.toolChoice {
        case .required: return functions.first
        case .tool(let name): return functions.first { $0.name == name }
        case .auto?, ChatToolChoice.none?, nil: return nil
        }
    }

    private static func text(fitting value: JSONValue, _ seed: UInt64) throws(Misfit) -> String {
        let schema: JSONSchema
        do throws(JSONSchema.Faults) { schema = try JSONSchema(value) } catch {
            let fault = error.faults.first
            throw Misfit(reason: "The schema is none: \(fault?.pointer ?? "") \(fault?.message ?? "").")
        }
        if let text = SandboxValue.text(fitting: schema, seed: seed) { return text }
        throw Misfit(
            reason:
                "The sandbox finds no value that fits the schema: it contradicts itself, or goes too deep.")
    }
}
