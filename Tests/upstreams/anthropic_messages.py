"""Anthropic's Messages API."""

from .wire import Refused, event, only, packed, wanted

FIELDS = (
    "model messages max_tokens system metadata stop_sequences stream temperature top_k top_p tools tool_choice thinking "
    "output_config service_tier context_management mcp_servers container cache_control inference_geo speed"
).split()


def is_mine(path):
    return path.endswith(("/v1/messages", "/v1/messages/count_tokens"))


def is_stream(path, body):
    return bool(body.get("stream"))


def check(path, body):
    wanted(body, "model", "messages")
    only(body, *FIELDS)
    if not path.endswith("count_tokens"):
        wanted(body, "max_tokens")
    waiting = []
    for message in body["messages"]:
        blocks = message["content"] if isinstance(message["content"], list) else []
        given = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if sorted(waiting) != sorted(given):
            raise Refused("`tool_use` ids were found without `tool_result` blocks immediately after")
        waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
        for block in blocks:
            if block["type"] == "thinking" and not block.get("signature"):
                raise Refused("thinking.signature: Field required")


def blocks(reply):
    found = []
    if reply.thought:
        found.append({"type": "thinking", "thinking": reply.thought, "signature": reply.signature})
    if reply.text:
        found.append({"type": "text", "text": reply.text})
    for call in reply.calls:
        found.append({"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments})
    return found


def usage(reply):
    return {
        "input_tokens": reply.input - reply.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": reply.cached,
        "output_tokens": reply.output,
        "service_tier": "standard",
    }


def reason(reply):
    return "tool_use" if reply.calls else "max_tokens" if reply.is_cut else "end_turn"


def whole(reply, body):
    return {
        "model": body["model"],
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": blocks(reply),
        "stop_reason": reason(reply),
        "stop_sequence": None,
        "usage": usage(reply),
    }


def count(body):
    return {"input_tokens": 42}


def events(reply, body):
    message = whole(reply, body) | {"content": [], "stop_reason": None, "usage": usage(reply) | {"output_tokens": 1}}
    yield event("message_start", {"type": "message_start", "message": message})

    def delta(index, value):
        return event("content_block_delta", {"type": "content_block_delta", "index": index, "delta": value})

    for index, block in enumerate(blocks(reply)):
        empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}}}
        begun = block | empty[block["type"]]
        yield event("content_block_start", {"type": "content_block_start", "index": index, "content_block": begun})
        if index == 0:
            yield event("ping", {"type": "ping"})
        if block["type"] == "text":
            for piece in reply.pieces(block["text"]):
                yield delta(index, {"type": "text_delta", "text": piece})
        elif block["type"] == "thinking":
            for piece in reply.pieces(block["thinking"]):
                yield delta(index, {"type": "thinking_delta", "thinking": piece})
            yield delta(index, {"type": "signature_delta", "signature": block["signature"]})
        else:
            call = next(call for call in reply.calls if call.id == block["id"])
            for piece in ["", *reply.pieces(call.text)]:
                yield delta(index, {"type": "input_json_delta", "partial_json": piece})
        yield event("content_block_stop", {"type": "content_block_stop", "index": index})
    ending = {"stop_reason": reason(reply), "stop_sequence": None}
    yield event("message_delta", {"type": "message_delta", "delta": ending, "usage": usage(reply)})
    yield event("message_stop", {"type": "message_stop"})


KINDS = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}


def error(status, message):
    kind = KINDS.get(status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_up"}


def results(body):
    found = []
    for message in body["messages"]:
        for block in message["content"] if isinstance(message["content"], list) else []:
            if block["type"] == "tool_result":
                content = block.get("content", "")
                found.append(content if isinstance(content, str) else "".join(part.get("text", "") for part in content))
    return found


def encode(value):
    return packed(value)
