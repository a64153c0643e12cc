"""OpenAI's chat completions, and embeddings and models beside them."""

import base64
import struct

from .wire import Refused, data, packed, wanted

IS_STREAM_TYPE = "text/event-stream; charset=utf-8"


def is_mine(path):
    return path.endswith("/chat/completions")


def is_stream(path, body):
    return bool(body.get("stream"))


def check(path, body):
    wanted(body, "model", "messages")
    open_calls = set()
    for message in body["messages"]:
        if message["role"] == "tool":
            if message.get("tool_call_id") not in open_calls:
                raise Refused("messages with role 'tool' must follow the 'tool_calls' that they answer")
            open_calls.remove(message["tool_call_id"])
        elif open_calls:
            raise Refused("an assistant message with 'tool_calls' must be followed by its tool messages")
        for call in message.get("tool_calls") or []:
            open_calls.add(call["id"])


def whole(reply, body):
    message = {"role": "assistant", "content": reply.text or None, "refusal": None}
    if reply.thought:
        message["reasoning_content"] = reply.thought
    if reply.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.text}}
            for call in reply.calls
        ]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1795246176,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish(reply)}],
        "usage": usage(reply),
        "system_fingerprint": None,
    }


def finish(reply):
    return "tool_calls" if reply.calls else "length" if reply.is_cut else "stop"


def usage(reply):
    return {
        "prompt_tokens": reply.input,
        "completion_tokens": reply.output,
        "total_tokens": reply.input + reply.output,
        "prompt_tokens_details": {"cached_tokens": reply.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def events(reply, body):
    head = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1795246176,
        "model": body["model"],
        "system_fingerprint": None,
    }
    counts = (body.get("stream_options") or {}).get("include_usage")

    def chunk(delta, reason=None):
        choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]
        return data(head | {"choices": choices} | ({"usage": None} if counts else {}))

    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for piece in reply.pieces(reply.thought):
        yield chunk({"reasoning_content": piece})
    for piece in reply.pieces(reply.text):
        yield chunk({"content": piece})
    for index, call in enumerate(reply.calls):
        function = {"name": call.name, "arguments": ""}
        yield chunk({"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function}]})
        for piece in reply.pieces(call.text):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, finish(reply))
    if counts:
        yield data(head | {"choices": [], "usage": usage(reply)})
    yield b"data: [DONE]\n\n"


def error(status, message):
    kind = {401: "authentication_error", 429: "rate_limit_error"}.get(status, "invalid_request_error")
    return {"error": {"message": message, "type": kind if status < 500 else "server_error", "param": None, "code": None}}


def results(body):
    return [
        content if isinstance(content := message["content"], str) else "".join(part["text"] for part in content)
        for message in body["messages"]
        if message["role"] == "tool"
    ]


def vector(text, dimensions):
    """Something that depends on the text, and is the same in 32 bits."""
    seed = sum(text.encode()) if isinstance(text, str) else sum(text)
    return [((seed + 31 * place) % 64 - 32) / 64 for place in range(dimensions or 8)]


def embeddings(body):
    wanted(body, "model", "input")
    inputs = body["input"]
    if isinstance(inputs, str) or isinstance(inputs[0], int):
        inputs = [inputs]
    size = body.get("dimensions") or body.get("output_dimension")

    def written(numbers):
        if body.get("encoding_format") != "base64":
            return numbers
        return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()

    rows = [
        {"object": "embedding", "index": index, "embedding": written(vector(text, size))}
        for index, text in enumerate(inputs)
    ]
    return {"object": "list", "data": rows, "model": body["model"], "usage": {"prompt_tokens": 5, "total_tokens": 5}}


def images(body):
    wanted(body, "model", "prompt")
    rows = [{"b64_json": base64.b64encode(b"\x89PNG drawn").decode()} for _ in range(body.get("n") or 1)]
    tokens = {"input_tokens": 9, "output_tokens": 90, "total_tokens": 99, "input_tokens_details": {"text_tokens": 9, "image_tokens": 0}}
    return {"created": 1795246176, "data": rows, "usage": tokens}


def models(names, owner="peer"):
    rows = [{"id": name, "object": "model", "created": 1795246176, "owned_by": owner} for name in names]
    return {"object": "list", "data": rows}


def encode(value):
    return packed(value)
