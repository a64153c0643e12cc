"""Cohere's chat, version 2, and its embeddings."""

import json

from .openai_chat import vector
from .wire import Refused, event, only, wanted

FIELDS = (
    "stream model messages tools strict_tools documents citation_options response_format safety_mode max_tokens "
    "stop_sequences temperature seed frequency_penalty presence_penalty k p logprobs tool_choice thinking priority"
).split()


def is_mine(path):
    return path.endswith("/v2/chat")


def is_stream(path, body):
    return bool(body.get("stream"))


def check(path, body):
    wanted(body, "model", "messages")
    only(body, *FIELDS)
    known = set()
    for message in body["messages"]:
        for call in message.get("tool_calls") or []:
            known.add(call["id"])
        if message["role"] == "tool" and message.get("tool_call_id") not in known:
            raise Refused("tool_call_id is not that of a call")


def usage(reply):
    return {
        "billed_units": {"input_tokens": reply.input, "output_tokens": reply.output},
        "tokens": {"input_tokens": reply.input + 485, "output_tokens": reply.output + 2},
    }


def finish(reply):
    return "TOOL_CALL" if reply.calls else "MAX_TOKENS" if reply.is_cut else "COMPLETE"


def calls(reply):
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.text}}
        for call in reply.calls
    ]


def whole(reply, body):
    message = {"role": "assistant"}
    content = []
    if reply.thought:
        content.append({"type": "thinking", "thinking": reply.thought})
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    if content:
        message["content"] = content
    if reply.calls:
        message |= {"tool_plan": "I will use a tool.", "tool_calls": calls(reply)}
    return {"id": "c-1", "finish_reason": finish(reply), "message": message, "usage": usage(reply)}


def events(reply, body):
    def said(kind, index=None, **message):
        place = {} if index is None else {"index": index}
        return event(kind, {"type": kind} | place | ({"delta": {"message": message}} if message else {}))

    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield event("message-start", {"id": "c-1", "type": "message-start", "delta": {"message": empty}})
    index = 0
    for kind, text in [("thinking", reply.thought), ("text", reply.text)]:
        if text:
            yield said("content-start", index, content={"type": kind, kind: ""})
            for piece in reply.pieces(text):
                yield said("content-delta", index, content={kind: piece})
            yield said("content-end", index)
            index += 1
    if reply.calls:
        for piece in reply.pieces("I will use a tool."):
            yield said("tool-plan-delta", tool_plan=piece)
    for index, call in enumerate(calls(reply)):
        begun = call | {"function": {"name": call["function"]["name"], "arguments": ""}}
        yield said("tool-call-start", index, tool_calls=begun)
        for piece in reply.pieces(call["function"]["arguments"]):
            yield said("tool-call-delta", index, tool_calls={"function": {"arguments": piece}})
        yield said("tool-call-end", index)
    yield event("message-end", {"type": "message-end", "delta": {"finish_reason": finish(reply), "usage": usage(reply)}})
    yield b"data: [DONE]\n\n"


def error(status, message):
    return {"id": "c-1", "message": message}


def results(body):
    found = []
    for message in body["messages"]:
        if message["role"] == "tool":
            content = message["content"]
            if isinstance(content, list):
                content = "".join(
                    part["text"] if part["type"] == "text" else json.dumps(part["document"]["data"]) for part in content
                )
            found.append(content)
    return found


def embeddings(body):
    wanted(body, "model", "input_type", "embedding_types")
    texts = body.get("texts") or ["".join(part["text"] for part in row["content"]) for row in body["inputs"]]
    rows = [vector(text, body.get("output_dimension")) for text in texts]
    meta = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 5}}
    return {"id": "c-1", "embeddings": {"float": rows}, "texts": texts, "meta": meta}


def encode(value):
    # It writes spaces.
    return json.dumps(value, ensure_ascii=False).encode()
