"""Streams that break, wait, or come in odd pieces."""

import http.client
import json
import time

import pytest
from conftest import wait_until
from families import HELLO, LONG, TEXT, TOOL, calls, every_family, families, says
from upstreams import Answer, Reply
from upstreams.asking import post

openai = pytest.importorskip("openai", reason="OpenAI's client is not in this environment")
anthropic = pytest.importorskip("anthropic", reason="Anthropic's client is not in this environment")

FRONTS = ["chat", "responses", "messages"]


def read(front, openai_client, anthropic_client, model):
    """The text of a stream, as the front's own client reads it."""
    if front == "messages":
        with anthropic_client.messages.stream(model=model, max_tokens=500, messages=HELLO) as stream:
            for _ in stream:
                pass
            return stream.get_final_message().content[0].text
    if front == "responses":
        events = openai_client.responses.create(model=model, input="hello there", stream=True)
        return "".join(event.delta for event in events if event.type == "response.output_text.delta")
    chunks = openai_client.chat.completions.create(model=model, messages=HELLO, stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


@every_family
@pytest.mark.parametrize("front", FRONTS)
def test_a_client_that_leaves_ends_the_request_to_the_provider(openai_client, anthropic_client, peer, family, front):
    peer.will(Answer(Reply(" ".join([LONG] * 20)), pause=0.02))
    if front == "messages":
        stream = anthropic_client.messages.create(model=family.model, max_tokens=500, messages=HELLO, stream=True)
    elif front == "responses":
        stream = openai_client.responses.create(model=family.model, input="hello there", stream=True)
    else:
        stream = openai_client.chat.completions.create(model=family.model, messages=HELLO, stream=True)
    pieces = iter(stream)
    for _ in range(5):
        next(pieces)
    stream.close()
    left = time.monotonic()
    wait_until(lambda: peer.last.left_at, 5, "the end of the request to the provider")
    assert peer.last.left_at - left < 1


@every_family
def test_a_client_that_leaves_before_the_first_word_ends_the_request_too(house, peer, family):
    peer.will(Answer(silence=(0, 20.0)))
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=20)
    body = json.dumps({"model": family.model, "messages": HELLO})
    connection.request("POST", "/v1/chat/completions", body, {"Authorization": f"Bearer {house.key}"})
    wait_until(lambda: peer.asked, 5, "the request")
    connection.close()
    wait_until(lambda: peer.last.left_at, 5, "the end of the request to the provider")


@every_family
@pytest.mark.parametrize("front", FRONTS)
def test_a_stream_that_breaks_off_never_looks_whole(openai_client, anthropic_client, peer, family, front):
    peer.will(Answer(Reply(LONG), cut_after=6))
    failures = (openai.APIError, anthropic.APIError)
    with pytest.raises(failures):
        read(front, openai_client, anthropic_client, family.model)


@every_family
def test_what_breaks_off_ends_with_an_error_in_the_clients_dialect(house, peer, family):
    peer.will(*[Answer(Reply(LONG), cut_after=6)] * 3)
    body = {"model": family.model, "max_tokens": 500, "messages": HELLO, "stream": True}
    chat = post(house, "/v1/chat/completions", body)[2]
    last = json.loads(chat.strip().split(b"\n\n")[-1].removeprefix(b"data: "))
    assert set(last) == {"error"} and {"message", "type", "code"} <= set(last["error"])
    assert b"[DONE]" not in chat and b'"finish_reason":"' not in chat
    messages = post(house, "/v1/messages", body)[2]
    name, data = messages.strip().split(b"\n\n")[-1].split(b"\n")
    assert name == b"event: error"
    assert json.loads(data.removeprefix(b"data: "))["type"] == "error"
    assert b"message_stop" not in messages
    responses = post(house, "/v1/responses", {"model": family.model, "input": "hello there", "stream": True})[2]
    assert b"response.completed" not in responses
    assert b"response.failed" in responses


@every_family
def test_a_stream_that_breaks_off_before_its_first_word_is_made_good(house, peer, family):
    peer.will(Answer(cut_after=0), says())
    status, _, body = post(house, "/v1/chat/completions", {"model": family.model, "messages": HELLO, "stream": True})
    assert status == 200
    assert body.strip().endswith(b"data: [DONE]")
    assert len(peer.asked) == 2


ODD = {
    "a byte at a time": {"piece": 1},
    "three bytes at a time": {"piece": 3},
    "lines ended by CR and LF": {"has_crlf": True},
    "CR and LF, a byte at a time": {"has_crlf": True, "piece": 1},
    "comments": {"has_comments": True},
}


@every_family
@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("odd", ODD)
def test_a_stream_is_the_same_however_it_comes(openai_client, anthropic_client, peer, family, front, odd):
    if family.name == "ollama" and "comments" in odd:
        pytest.skip("lines of JSON have no comments")
    peer.will(Answer(Reply(TEXT), **ODD[odd]))
    assert read(front, openai_client, anthropic_client, family.model) == TEXT


@every_family
def test_calls_are_the_same_however_they_come(openai_client, peer, family):
    answer = calls()
    answer.piece = 1
    peer.will(answer)
    arguments = {}
    for chunk in openai_client.chat.completions.create(model=family.model, messages=HELLO, tools=[TOOL], stream=True):
        for piece in chunk.choices[0].delta.tool_calls or []:
            arguments[piece.index] = arguments.get(piece.index, "") + (piece.function.arguments or "")
    assert [json.loads(arguments[index]) for index in (0, 1)] == [call.arguments for call in answer.reply.calls]


@families("bedrock")
def test_a_bit_that_flips_breaks_the_stream(openai_client, peer, family):
    def flipped(asked):
        frames = b"".join(asked.dialect.events(Reply(LONG), asked.body))
        place = len(frames) // 2
        body = frames[:place] + bytes([frames[place] ^ 1]) + frames[place + 1 :]
        return Answer(body=body, content_type="application/vnd.amazon.eventstream")

    peer.always = flipped
    with pytest.raises(openai.APIError):
        list(openai_client.chat.completions.create(model=family.model, messages=HELLO, stream=True))


@families("openai", "anthropic", "gemini", "cohere", "openai-responses")
def test_bytes_that_are_no_text_break_the_stream(openai_client, peer, family):
    def latin(asked):
        events = b"".join(asked.dialect.events(Reply("abc " + LONG), asked.body))
        return Answer(body=events.replace(b"abc", b"a\xff\xfe"), content_type="text/event-stream")

    peer.always = latin
    with pytest.raises(openai.APIError):
        list(openai_client.chat.completions.create(model=family.model, messages=HELLO, stream=True))
