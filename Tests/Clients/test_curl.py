"""curl, as people try things out."""

import json
import subprocess

import pytest
from families import HELLO, TEXT, says

FIELDS = ["Authorization: Bearer {}", "authorization: bearer {}", "X-API-Key: {}", "x-api-key: {}", "API-KEY: {}", "x-goog-api-key: {}", "X-Goog-Api-Key: {}"]


def curl(*arguments):
    return subprocess.run(["curl", "-sS", "--max-time", "20", *arguments], check=True, capture_output=True).stdout


def ask(house, field, **more):
    body = json.dumps({"model": "anthropic/claude-peer", "messages": HELLO} | more)
    return curl("-i", f"{house.url}/v1/chat/completions", "-H", field.format(house.key), "-H", "CONTENT-TYPE: application/json", "-d", body)


@pytest.mark.parametrize("field", FIELDS)
def test_a_key_is_taken_in_any_field_that_clients_have_for_it(house, peer, field):
    peer.will(says())
    head, body = ask(house, field).split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200")
    assert json.loads(body)["choices"][0]["message"]["content"] == TEXT


def test_a_stream_comes_as_it_is_written(house, peer):
    peer.will(says())
    head, body = ask(house, FIELDS[0], stream=True).split(b"\r\n\r\n", 1)
    assert b"content-type: text/event-stream" in head.lower()
    events = [event.removeprefix(b"data: ") for event in body.strip().split(b"\n\n")]
    assert events[-1] == b"[DONE]"
    texts = [json.loads(event)["choices"][0]["delta"].get("content") or "" for event in events[:-1]]
    assert "".join(texts) == TEXT
