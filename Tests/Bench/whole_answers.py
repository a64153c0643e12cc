"""Answers that are sent whole: CPU for each request, beside nginx doing the same."""

import json
from dataclasses import dataclass, field
from statistics import median

from report import progress
from wrk import Request, Sample, measure

COMPLETION_BYTES = 1024
LIVE = '{"status":"ok"}'


def completion():
    """A chat completion of 1 KB, as a provider writes it."""
    answer = {
        "id": "chatcmpl-9p7kD3qYQ", "object": "chat.completion", "created": 1752000000, "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "", "refusal": None},
                     "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 19, "completion_tokens": 150, "total_tokens": 169},
        "system_fingerprint": "fp_44709d6fcb",
    }
    missing = COMPLETION_BYTES - len(json.dumps(answer))
    answer["choices"][0]["message"]["content"] = ("The bees keep the hive warm. " * 40)[:missing]
    text = json.dumps(answer)
    assert len(text) == COMPLETION_BYTES
    return text


def message():
    """Anthropic's message of 1 KB."""
    answer = {
        "id": "msg_01Hb7kD3qYQ", "type": "message", "role": "assistant", "model": "claude-haiku-4-5",
        "content": [{"type": "text", "text": ""}], "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 19, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                  "output_tokens": 150, "service_tier": "standard"},
    }
    missing = COMPLETION_BYTES - len(json.dumps(answer))
    answer["content"][0]["text"] = ("The bees keep the hive warm. " * 40)[:missing]
    text = json.dumps(answer)
    assert len(text) == COMPLETION_BYTES
    return text


def chat(model, key, stream=False, limit=None):
    body = {"model": model, "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "How do bees keep their hive warm through the winter?"},
    ]}
    if stream:
        body["stream"] = True
    if limit:
        body["max_tokens"] = limit
    headers = (("Content-Type", "application/json"), ("Authorization", f"Bearer {key}"))
    return Request("/v1/chat/completions", "POST", json.dumps(body), headers)


@dataclass
class Case:
    """One kind of request against one server, in every round."""

    name: str
    server: object
    port: int
    request: Request
    connections: int = 64
    pipeline: int = 1
    samples: list[Sample] = field(default_factory=list)

    def run(self, directory, seconds):
        self.samples.append(
            measure(self.server, self.port, self.request, directory, seconds, self.connections, self.pipeline))

    def forget(self):
        """What it has measured: it was cold."""
        self.samples.clear()

    def median(self, figure):
        return median(getattr(sample, figure) for sample in self.samples)


def run_interleaved(cases, directory, rounds, seconds):
    """Every case once a round, so that whatever else the machine does meets all of them alike."""
    for case in cases:
        case.run(directory, 1)
        case.forget()
    for number in range(rounds):
        progress(f"round {number + 1} of {rounds}: " + ", ".join(dict.fromkeys(case.name for case in cases)))
        for case in cases if number % 2 == 0 else reversed(cases):
            case.run(directory, seconds)
