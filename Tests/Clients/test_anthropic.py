"""Anthropic's own clients, whoever answers."""

import json

import pytest
from families import ANTHROPIC_TOOL, CALLS, HELLO, TEXT, calls, every_family, families, says
from upstreams.asking import post
from upstreams import Answer, Reply

anthropic = pytest.importorskip("anthropic", reason="Anthropic's client is not in this environment")

SIGNATURE = "c2lnbmF0dXJl/+b2YrYSt0aG91Z2h0=="


@every_family
def test_a_message_has_its_text_usage_and_a_request_id(anthropic_client, peer, family):
    peer.will(says(input=21, output=13))
    message = anthropic_client.messages.create(model=family.model, max_tokens=50, messages=HELLO, system="Be brief.")
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    assert [block.text for block in message.content] == [TEXT]
    assert (message.usage.input_tokens, message.usage.output_tokens) == (21, 13)
    assert message._request_id.startswith("req_")
    assert b"Be brief." in peer.last.raw


@families("openai", "anthropic", "gemini", "bedrock", "openai-responses")
def test_tokens_from_a_cache_are_counted_apart(anthropic_client, peer, family):
    peer.will(says(input=21, output=13, cached=5))
    usage = anthropic_client.messages.create(model=family.model, max_tokens=50, messages=HELLO).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (16, 5, 13)


@every_family
def test_a_stream_makes_up_the_final_message(anthropic_client, peer, family):
    peer.will(says(input=21, output=13))
    with anthropic_client.messages.stream(model=family.model, max_tokens=50, messages=HELLO) as stream:
        texts = list(stream.text_stream)
        message = stream.get_final_message()
    assert len(texts) > 1
    assert "".join(texts) == message.content[0].text == TEXT
    assert (message.stop_reason, message.usage.output_tokens) == ("end_turn", 13)


@every_family
def test_the_events_of_a_stream_come_in_their_order(anthropic_client, peer, family):
    peer.will(says())
    events = list(anthropic_client.messages.create(model=family.model, max_tokens=50, messages=HELLO, stream=True))
    kinds = [event.type for event in events if event.type != "ping"]
    inner = kinds[2:-3]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert set(inner) == {"content_block_delta"}
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]


@every_family
def test_every_event_on_the_wire_is_named(house, peer, family):
    peer.will(says())
    body = {"model": family.model, "max_tokens": 50, "messages": HELLO, "stream": True}
    status, fields, answer = post(house, "/v1/messages", body, {"X-Api-Key": house.key, "anthropic-version": "2023-06-01"})
    assert (status, fields["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    for event in answer.strip().split(b"\n\n"):
        lines = event.split(b"\n")
        assert lines[0].removeprefix(b"event: ").decode() == json.loads(lines[1].removeprefix(b"data: "))["type"]


@pytest.mark.parametrize("is_stream", [False, True])
@every_family
def test_tools_are_called_and_their_results_read(anthropic_client, peer, family, is_stream):
    peer.will(calls(), says())
    arguments = {"model": family.model, "max_tokens": 50, "tools": [ANTHROPIC_TOOL]}
    if is_stream:
        with anthropic_client.messages.stream(messages=HELLO, **arguments) as stream:
            deltas = [event for event in stream if event.type == "content_block_delta" and event.delta.type == "input_json_delta"]
            message = stream.get_final_message()
        by_block = {}
        for event in deltas:
            by_block[event.index] = by_block.get(event.index, "") + event.delta.partial_json
        assert [json.loads(text) for _, text in sorted(by_block.items())] == [call.arguments for call in CALLS]
    else:
        message = anthropic_client.messages.create(messages=HELLO, **arguments)
    assert message.stop_reason == "tool_use"
    made = [block for block in message.content if block.type == "tool_use"]
    assert [(block.name, block.input) for block in made] == [(call.name, call.arguments) for call in CALLS]
    assert len({block.id for block in made}) == 2
    results = [{"type": "tool_result", "tool_use_id": block.id, "content": f"weather {number}"} for number, block in enumerate(made)]
    said = [block.model_dump(exclude_none=True) for block in message.content]
    conversation = [*HELLO, {"role": "assistant", "content": said}, {"role": "user", "content": results}]
    answer = anthropic_client.messages.create(messages=conversation, **arguments)
    assert [block.text for block in answer.content] == [TEXT]
    assert peer.results == ["weather 0", "weather 1"]


@families("anthropic", "bedrock", "gemini", "openai-responses")
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_thoughts_signature_goes_back_byte_for_byte(anthropic_client, peer, family, is_stream):
    peer.will(Answer(Reply(calls=CALLS[:1], thought="Let me think.", signature=SIGNATURE)), says())
    arguments = {
        "model": family.model, "max_tokens": 3000, "tools": [ANTHROPIC_TOOL],
        "thinking": {"type": "enabled", "budget_tokens": 1500},
    }
    if is_stream:
        with anthropic_client.messages.stream(messages=HELLO, **arguments) as stream:
            message = stream.get_final_message()
    else:
        message = anthropic_client.messages.create(messages=HELLO, **arguments)
    thought = message.content[0]
    assert (thought.type, thought.thinking) == ("thinking", "Let me think.")
    if family.name == "anthropic":
        assert thought.signature == SIGNATURE
    call = message.content[-1]
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}]
    said = [block.model_dump(exclude_none=True) for block in message.content]
    conversation = [*HELLO, {"role": "assistant", "content": said}, {"role": "user", "content": results}]
    anthropic_client.messages.create(messages=conversation, **arguments)
    assert f'"{SIGNATURE}"'.encode() in peer.last.raw.replace(b"\\/", b"/")


@every_family
def test_tokens_are_counted_by_the_provider_or_guessed(anthropic_client, peer, family):
    raw = anthropic_client.messages.with_raw_response.count_tokens(model=family.model, messages=HELLO)
    count = raw.parse().input_tokens
    if family.name in ("anthropic", "gemini", "bedrock"):
        assert (count, raw.headers.get("x-hivegate-estimated")) == (42, None)
        assert "ount" in peer.last.path
    else:
        assert count > 0


def test_both_ways_to_show_a_key_are_taken(house, peer):
    for who in [{"api_key": house.key}, {"auth_token": house.key}]:
        client = anthropic.Anthropic(base_url=house.url, max_retries=0, **who)
        assert client.messages.create(model="anthropic/claude-peer", max_tokens=5, messages=HELLO).content
        # The provider sees the gateway's key, and nothing of the caller's.
        assert house.key not in json.dumps(peer.last.fields)


def test_any_version_is_taken_and_betas_reach_anthropic(house, peer):
    body = {"model": "anthropic/claude-peer", "max_tokens": 5, "messages": HELLO}
    for version in ["2023-06-01", "2026-10-21"]:
        fields = {"X-Api-Key": house.key, "anthropic-version": version, "anthropic-beta": "some-feature-2026-01-01"}
        assert post(house, "/v1/messages", body, fields)[0] == 200
        assert peer.last.fields["anthropic-beta"] == "some-feature-2026-01-01"


def test_models_are_listed_and_retrieved(anthropic_client, peer):
    names = {model.id for model in anthropic_client.models.list()}
    assert {"sandbox/echo", "openai/gpt-peer"} <= names
    found = anthropic_client.models.retrieve("sandbox/echo")
    assert (found.id, found.type) == ("sandbox/echo", "model")
    assert found.display_name and found.created_at
