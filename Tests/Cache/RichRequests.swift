import Chat
import JSON

/// A request of each dialect that uses much of it.
enum RichRequests {
    static let all: [(dialect: ChatDialect, text: String)] = [
        (.openAIChat, openAIChat), (.openAIResponses, openAIResponses), (.anthropic, anthropic),
        (.hivegate, hivegate),
    ]

    static func document(_ dialect: ChatDialect) throws -> JSONDocument {
        let text = all.first { $0.dialect == dialect }?.text ?? "{}"
        return try JSONDocument(parsing: Array(text.utf8))
    }

    private static let openAIChat = """
        {"model": "openai/gpt-5", "models": ["openai/gpt-5-mini", {"model": "a/b", "weight": 3}],
         "provider": {"order": ["azure"], "max_price": {"prompt": 1.25}},
         "messages": [
            {"role": "system", "content": "Be brief.\\nÄ \\"quote\\" / \\\\ 😀"},
            {"role": "user", "name": "Ada", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{\\"a\\":1}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": ""}],
         "tools": [{"type": "function", "function": {"name": "look", "strict": true, "parameters":
            {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0, "default": null}}}}}],
         "tool_choice": "auto", "parallel_tool_calls": false,
         "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
         "temperature": 0.7, "top_p": 1, "top_k": 40, "frequency_penalty": -0.5, "presence_penalty": 1e-1,
         "logit_bias": {"50256": -100}, "seed": 42, "stop": ["END", "\\u0000"], "max_tokens": 100,
         "max_completion_tokens": 200, "reasoning": {"effort": "low"}, "reasoning_effort": "low",
         "verbosity": "low", "user": "u1", "service_tier": "auto", "prompt_cache_key": "k", "store": false,
         "metadata": {"a": "b"}, "n": 1, "logprobs": false,
         "stream": true, "stream_options": {"include_usage": true}}
        """

    private static let openAIResponses = """
        {"model": "openai/gpt-5", "instructions": "Be brief.",
         "input": [{"role": "user", "content": [{"type": "input_text", "text": "Hello"},
                {"type": "input_image", "image_url": "https://example.org/a.png", "detail": "auto"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA=="},
            {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "1"}],
         "tools": [{"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": false}],
         "tool_choice": {"type": "function", "name": "look"}, "parallel_tool_calls": true, "max_tool_calls": 3,
         "text": {"format": {"type": "text"}, "verbosity": "high"}, "max_output_tokens": 1000,
         "temperature": 1.0, "top_p": 0.95, "reasoning": {"effort": "high", "summary": "auto"},
         "include": ["reasoning.encrypted_content"], "truncation": "auto", "user": "u1",
         "safety_identifier": "s", "service_tier": "flex", "prompt_cache_key": "k", "store": false,
         "background": false, "metadata": {"a": "b"}, "stream": false,
         "stream_options": {"include_obfuscation": false}}
        """

    private static let anthropic = """
        {"model": "anthropic/claude-sonnet-4-5", "max_tokens": 1024,
         "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
         "messages": [{"role": "user", "content": "Hello"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"},
                {"type": "tool_use", "id": "t1", "name": "look", "input": {"a": [1, 2.50, {"b": null}]}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "is_error": true,
                "content": "no"}]}],
         "tools": [{"name": "look", "description": "Looks.", "input_schema": {"type": "object"}},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}],
         "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
         "thinking": {"type": "enabled", "budget_tokens": 2000}, "output_config": {"effort": "low"},
         "temperature": 1, "top_p": 0.9, "top_k": 5, "stop_sequences": ["END"],
         "metadata": {"user_id": "u"}, "service_tier": "auto", "cache_control": {"type": "ephemeral"},
         "stream": true}
        """

    private static let hivegate = """
        {"model": "openai/gpt-5", "models": ["a/b"], "provider": {"only": ["azure"], "allow_fallbacks": false},
         "system": "Be brief.", "messages": [{"role": "user", "content": [
            {"type": "text", "text": "Hello"}, {"type": "reasoning", "text": "Hm.", "seal": "abc"}]}],
         "schema": {"type": "object", "required": ["a"]}, "repair": false, "fetch_images": true,
         "max_tokens": 10, "temperature": 0, "top_p": 1, "stop": "END", "seed": -7,
         "tools": [{"type": "function", "function": {"name": "look"}}], "tool_choice": "required",
         "reasoning": {"max_tokens": 100, "exclude": true}, "metadata": {"a": "b"}, "stream": true}
        """
}
