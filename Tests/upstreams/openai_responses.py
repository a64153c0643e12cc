"""OpenAI's Responses API."""

from .wire import event, packed, wanted


def is_mine(path):
    return path.endswith("/responses")


def is_stream(path, body):
    return bool(body.get("stream"))


def check(path, body):
    wanted(body, "model", "input")


def items(reply):
    found = []
    if reply.thought:
        summary = [{"type": "summary_text", "text": reply.thought}]
        item = {"id": "rs_1", "type": "reasoning", "summary": summary, "status": "completed"}
        found.append(item | ({"encrypted_content": reply.signature} if reply.signature else {}))
    if reply.text:
        part = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
        found.append(
            {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
        )
    for number, call in enumerate(reply.calls):
        found.append(
            {
                "id": f"fc_{number}",
                "type": "function_call",
                "status": "completed",
                "call_id": call.id,
                "name": call.name,
                "arguments": call.text,
            }
        )
    return found


def whole(reply, body, status=None, output=None):
    status = status or ("incomplete" if reply.is_cut else "completed")
    usage = {
        "input_tokens": reply.input,
        "input_tokens_details": {"cached_tokens": reply.cached},
        "output_tokens": reply.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": reply.input + reply.output,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1795246176,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": body["model"],
        "output": items(reply) if output is None else output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": body.get("store", True),
        "temperature": 1.0,
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": body.get("tools") or [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None if status == "in_progress" else usage,
        "user": None,
        "metadata": {},
    }


def events(reply, body):
    number = -1

    def said(name, **members):
        nonlocal number
        number += 1
        return event(name, {"type": name, "sequence_number": number} | members)

    begun = whole(reply, body, "in_progress", [])
    yield said("response.created", response=begun)
    yield said("response.in_progress", response=begun)
    for index, item in enumerate(items(reply)):
        place = {"output_index": index, "item_id": item["id"]}
        if item["type"] == "message":
            part = item["content"][0]
            open_item, empty = item | {"status": "in_progress", "content": []}, part | {"text": ""}
            yield said("response.output_item.added", output_index=index, item=open_item)
            yield said("response.content_part.added", **place, content_index=0, part=empty)
            for piece in reply.pieces(part["text"]):
                yield said("response.output_text.delta", **place, content_index=0, delta=piece, logprobs=[])
            yield said("response.output_text.done", **place, content_index=0, text=part["text"], logprobs=[])
            yield said("response.content_part.done", **place, content_index=0, part=part)
        elif item["type"] == "function_call":
            open_item = item | {"status": "in_progress", "arguments": ""}
            yield said("response.output_item.added", output_index=index, item=open_item)
            for piece in reply.pieces(item["arguments"]):
                yield said("response.function_call_arguments.delta", **place, delta=piece)
            yield said("response.function_call_arguments.done", **place, arguments=item["arguments"])
        else:
            part = item["summary"][0]
            yield said("response.output_item.added", output_index=index, item=item | {"summary": []})
            yield said("response.reasoning_summary_part.added", **place, summary_index=0, part=part | {"text": ""})
            for piece in reply.pieces(part["text"]):
                yield said("response.reasoning_summary_text.delta", **place, summary_index=0, delta=piece)
            yield said("response.reasoning_summary_text.done", **place, summary_index=0, text=part["text"])
            yield said("response.reasoning_summary_part.done", **place, summary_index=0, part=part)
        yield said("response.output_item.done", output_index=index, item=item)
    done = whole(reply, body)
    yield said(f"response.{done['status']}", response=done)


def error(status, message):
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}


def results(body):
    return [item["output"] for item in body["input"] if item.get("type") == "function_call_output"]


def encode(value):
    return packed(value)
