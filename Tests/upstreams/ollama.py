"""Ollama's own chat, a line of JSON for each piece, and its embeddings."""

from .openai_chat import vector
from .wire import Refused, only, packed, wanted

FIELDS = "model messages tools format options stream keep_alive think logprobs top_logprobs".split()


def is_mine(path):
    return path.endswith("/api/chat")


def is_stream(path, body):
    return body.get("stream", True)


def check(path, body):
    wanted(body, "model", "messages")
    only(body, *FIELDS)
    for message in body["messages"]:
        if not isinstance(message.get("content", ""), str):
            raise Refused("json: cannot unmarshal array into Go struct field Message.messages.content of type string")
        for call in message.get("tool_calls") or []:
            if not isinstance(call["function"]["arguments"], dict):
                raise Refused("json: cannot unmarshal string into Go struct field arguments")


def line(body, message, **members):
    moment = "2026-11-21T10:00:00.000000Z"
    return {"model": body["model"], "created_at": moment, "message": {"role": "assistant"} | message, "done": False} | members


def calls(reply):
    return [{"function": {"name": call.name, "arguments": call.arguments}} for call in reply.calls]


def ending(reply):
    return {
        "done_reason": "length" if reply.is_cut else "stop",
        "done": True,
        "total_duration": 1000,
        "load_duration": 1,
        "prompt_eval_count": reply.input,
        "prompt_eval_duration": 1,
        "eval_count": reply.output,
        "eval_duration": 1,
    }


def whole(reply, body):
    message = {"content": reply.text}
    if reply.thought:
        message["thinking"] = reply.thought
    if reply.calls:
        message["tool_calls"] = calls(reply)
    return line(body, message, **ending(reply))


def events(reply, body):
    for piece in reply.pieces(reply.thought):
        yield packed(line(body, {"content": "", "thinking": piece})) + b"\n"
    for piece in reply.pieces(reply.text):
        yield packed(line(body, {"content": piece})) + b"\n"
    for call in calls(reply):
        yield packed(line(body, {"content": "", "tool_calls": [call]})) + b"\n"
    yield packed(line(body, {"content": ""}, **ending(reply))) + b"\n"


def error(status, message):
    return {"error": message}


def results(body):
    return [message["content"] for message in body["messages"] if message["role"] == "tool"]


def embeddings(body):
    wanted(body, "model", "input")
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    rows = [vector(text, body.get("dimensions")) for text in texts]
    return {"model": body["model"], "embeddings": rows, "total_duration": 1, "load_duration": 1, "prompt_eval_count": 5}


def encode(value):
    return packed(value)
