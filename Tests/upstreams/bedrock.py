"""Amazon Bedrock's Converse and ConverseStream: frames with checksums, and requests with signatures."""

import json
import struct
import zlib

from .wire import Refused, only, packed, wanted

FIELDS = (
    "messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables "
    "additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig"
).split()
ACCESS, SECRET, REGION = "AKIDPEER", "secret/of+peer", "eu-central-1"


def is_mine(path):
    return path.endswith(("/converse", "/converse-stream", "/count-tokens"))


def is_stream(path, body):
    return path.endswith("/converse-stream")


def check(path, body):
    if path.endswith("/count-tokens"):
        body = body["input"]["converse"]
    wanted(body, "messages")
    only(body, *FIELDS)
    last = "assistant"
    for message in body["messages"]:
        if message["role"] == last:
            raise Refused("A conversation must alternate between user and assistant roles.")
        last = message["role"]
        wanted(message, "content")


def check_signature(method, url, fields, body):
    """Signs the request once more as botocore does, with what the gateway said it signed."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    given = fields.get("authorization", "")
    if not given.startswith("AWS4-HMAC-SHA256 "):
        raise Refused("Missing Authentication Token", 403)
    names = given.split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest(method=method, url=url, data=body, headers={name: fields[name] for name in names if name != "host"})
    request.context["timestamp"] = fields["x-amz-date"]
    signer = SigV4Auth(Credentials(ACCESS, SECRET), "bedrock", REGION)
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    if not given.endswith(f"Signature={signature}") or "host" not in names:
        raise Refused(f"The request signature we calculated does not match:\n{canonical}", 403)


def blocks(reply):
    found = []
    if reply.thought:
        found.append({"reasoningContent": {"reasoningText": {"text": reply.thought, "signature": reply.signature}}})
    if reply.text:
        found.append({"text": reply.text})
    for call in reply.calls:
        found.append({"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.arguments}})
    return found


def usage(reply):
    tokens = {"inputTokens": reply.input - reply.cached, "outputTokens": reply.output}
    return tokens | {"totalTokens": reply.input + reply.output, "cacheReadInputTokens": reply.cached}


def reason(reply):
    return "tool_use" if reply.calls else "max_tokens" if reply.is_cut else "end_turn"


def whole(reply, body):
    message = {"content": blocks(reply), "role": "assistant"}
    return {"metrics": {"latencyMs": 257}, "output": {"message": message}, "stopReason": reason(reply), "usage": usage(reply)}


def count(body):
    return {"inputTokens": 42}


def frame(payload, **headers):
    head = b""
    for name, value in headers.items():
        name, value = (":" + name.replace("_", "-")).encode(), value.encode()
        head += struct.pack(">B", len(name)) + name + b"\x07" + struct.pack(">H", len(value)) + value
    prelude = struct.pack(">II", len(head) + len(payload) + 16, len(head))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + payload
    return message + struct.pack(">I", zlib.crc32(message))


def event(kind, value):
    value = value | {"p": "abcdefghijklmn"}
    return frame(packed(value), event_type=kind, content_type="application/json", message_type="event")


def events(reply, body):
    yield event("messageStart", {"role": "assistant"})

    def delta(index, value):
        return event("contentBlockDelta", {"contentBlockIndex": index, "delta": value})

    for index, block in enumerate(blocks(reply)):
        (kind, value), = block.items()
        if kind == "toolUse":
            start = {"toolUse": {"toolUseId": value["toolUseId"], "name": value["name"]}}
            yield event("contentBlockStart", {"contentBlockIndex": index, "start": start})
            for piece in reply.pieces(json.dumps(value["input"], ensure_ascii=False)):
                yield delta(index, {"toolUse": {"input": piece}})
        elif kind == "text":
            for piece in reply.pieces(value):
                yield delta(index, {"text": piece})
        else:
            for piece in reply.pieces(value["reasoningText"]["text"]):
                yield delta(index, {"reasoningContent": {"text": piece}})
            yield delta(index, {"reasoningContent": {"signature": value["reasoningText"]["signature"]}})
        yield event("contentBlockStop", {"contentBlockIndex": index})
    yield event("messageStop", {"stopReason": reason(reply)})
    yield event("metadata", {"usage": usage(reply), "metrics": {"latencyMs": 551}})


def error(status, message):
    return {"message": message}


def results(body):
    found = []
    for message in body["messages"]:
        for block in message["content"]:
            if "toolResult" in block:
                found.append("".join(part.get("text", "") or json.dumps(part.get("json")) for part in block["toolResult"]["content"]))
    return found


def encode(value):
    return packed(value)
