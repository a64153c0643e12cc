"""Google's generateContent, and its embeddings."""

import json

from .openai_chat import vector
from .wire import Refused, only, packed, wanted

FIELDS = (
    "contents systemInstruction system_instruction tools toolConfig safetySettings generationConfig cachedContent "
    "labels serviceTier store"
).split()


def is_mine(path):
    return path.split("?")[0].endswith((":generateContent", ":streamGenerateContent", ":countTokens"))


def is_stream(path, body):
    return ":streamGenerateContent" in path


def check(path, body):
    if is_stream(path, body) and "alt=sse" not in path:
        raise Refused("without alt=sse this would be an array")
    if path.endswith(":countTokens"):
        return
    wanted(body, "contents")
    only(body, *FIELDS)
    for content in body["contents"]:
        if content.get("role") not in ("user", "model"):
            raise Refused("Please use a valid role: user, model.")
        wanted(content, "parts")


def parts(reply):
    found = []
    if reply.thought:
        found.append({"text": reply.thought, "thought": True})
    if reply.text:
        found.append({"text": reply.text})
    for call in reply.calls:
        function = {"name": call.name, "args": call.arguments}
        found.append({"functionCall": function | ({"id": call.id} if call.id else {})})
    if reply.signature and found:
        # It is on the first call, or on the last part.
        seat = next((part for part in found if "functionCall" in part), found[-1])
        seat["thoughtSignature"] = reply.signature
    return found


def answer(parts, reply, body, reason=None, output=None):
    candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
    output = reply.output if output is None else output
    usage = {
        "promptTokenCount": reply.input,
        "candidatesTokenCount": max(0, output - (3 if reply.thought else 0)),
        "totalTokenCount": reply.input + output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": reply.input}],
    }
    if reply.thought:
        usage["thoughtsTokenCount"] = 3
    if reply.cached:
        usage["cachedContentTokenCount"] = reply.cached
    return {
        "candidates": [candidate | ({"finishReason": reason} if reason else {})],
        "usageMetadata": usage,
        "modelVersion": "gemini-peer",
        "responseId": "abc",
    }


def whole(reply, body):
    return answer(parts(reply), reply, body, "MAX_TOKENS" if reply.is_cut else "STOP")


def count(body):
    return {"totalTokens": 42}


def events(reply, body):
    def said(value):
        return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\r\n\r\n"

    pieces = []
    for part in parts(reply):
        if "text" not in part:
            pieces.append(part)
            continue
        texts = reply.pieces(part["text"])
        pieces += [part | {"text": text} for text in texts]
        for piece in pieces[-len(texts) : -1]:
            piece.pop("thoughtSignature", None)
    for index, piece in enumerate(pieces):
        is_last = index == len(pieces) - 1
        reason = ("MAX_TOKENS" if reply.is_cut else "STOP") if is_last else None
        # Each says what was made so far.
        yield said(answer([piece], reply, body, reason, reply.output * (index + 1) // len(pieces)))


STATES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}


def error(status, message):
    return {"error": {"code": status, "message": message, "status": STATES.get(status, "INTERNAL")}}


def results(body):
    found = []
    for content in body["contents"]:
        for part in content["parts"]:
            if "functionResponse" in part:
                response = part["functionResponse"]["response"]
                value = next(iter(response.values())) if len(response) == 1 else response
                found.append(value if isinstance(value, str) else json.dumps(value))
    return found


def embeddings(body):
    wanted(body, "requests")
    rows = []
    for request in body["requests"]:
        text = "".join(part["text"] for part in request["content"]["parts"])
        rows.append({"values": vector(text, request.get("outputDimensionality"))})
    return {"embeddings": rows}


def encode(value):
    return packed(value)
