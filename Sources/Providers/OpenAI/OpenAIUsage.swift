import Chat
import JSON

/// Token counts as OpenAI's chat dialect and its many relatives write them: totals, with details of what is in them.
enum OpenAIUsage {
    /// Of an answer or a chunk, wherever it has it: Moonshot within the choice, Groq in an object of its own.
    static func find(in root: JSONValue) -> ChatUsage? {
        let usage = root["usage"].present ?? root["x_groq"]?["usage"] ?? root["choices"]?.element(0)?["usage"]
        return usage.flatMap(read)
    }

    static func read(_ usage: JSONValue) -> ChatUsage? {
        guard usage.kind == .object else { return nil }
        var (prompt, completion, total, cached) = (0, 0, 0, 0)
        var (written, audioInput, reasoning, audioOutput) = (0, 0, 0, 0)
        for member in usage.members {
            switch member.key {
            case "prompt_tokens": prompt = member.value.tokens
            case "completion_tokens": completion = member.value.tokens
            case "total_tokens": total = member.value.tokens
            // Names of DeepSeek, of Moonshot and Together, and of Mistral for what others have in the details.
            case "prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens":
                cached = max(cached, member.value.tokens)
            case "prompt_tokens_details":
                for detail in member.value.members {
                    switch detail.key {
                    case "cached_tokens": cached = max(cached, detail.value.tokens)
                    case "cache_write_tokens": written = detail.value.tokens
                    case "audio_tokens": audioInput = detail.value.tokens
                    default: break
                    }
                }
            case "completion_tokens_details":
                for detail in member.value.members {
                    switch detail.key {
                    case "reasoning_tokens": reasoning = detail.value.tokens
                    case "audio_tokens": audioOutput = detail.value.tokens
                    default: break
                    }
                }
            default: break
            }
        }
        // xAI counts thoughts beside the completion, all others within it: the total tells.
        let isReasoningApart = reasoning > 0 && total == prompt + completion + reasoning
        return ChatUsage(
            input: max(0, prompt - cached - written - audioInput), cacheRead: cached, cacheWrite: written,
            audioInput: audioInput,
            output: max(0, completion - audioOutput - (isReasoningApart ? 0 : reasoning)),
            reasoning: reasoning, audioOutput: audioOutput)
    }

    static func write(_ usage: ChatUsage, _ json: inout JSONWriter) {
        json.object { json in
            json.field("prompt_tokens", usage.totalInput)
            json.field("completion_tokens", usage.totalOutput)
            json.field("total_tokens", usage.totalInput + usage.totalOutput)
            json.object("prompt_tokens_details") { json in
                json.field("cached_tokens", usage.cacheRead)
                let written = usage.cacheWrite + usage.cacheWriteHour
                if written > 0 { json.field("cache_write_tokens", written) }
                json.field("audio_tokens", usage.audioInput)
            }
            json.object("completion_tokens_details") { json in
                json.field("reasoning_tokens", usage.reasoning)
                json.field("audio_tokens", usage.audioOutput)
            }
        }
    }
}

extension JSONValue {
    /// A count of tokens; what is none counts nothing.
    fileprivate var tokens: Int {
        guard let count = int else { return 0 }
        return min(max(0, count), 1 << 40)
    }
}
