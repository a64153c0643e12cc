"""OpenAI's own clients and chat completions, whoever answers."""

import json

import pytest
from families import CALLS, HELLO, TEXT, TOOL, calls, every_family, families, says
from upstreams import Answer, Reply
from upstreams.asking import post

openai = pytest.importorskip("openai", reason="OpenAI's client is not in this environment")
pydantic = pytest.importorskip("pydantic")


class Weather(pydantic.BaseModel):
    city: str
    degrees: int


@every_family
def test_an_answer_has_its_text_integer_usage_and_a_request_id(openai_client, peer, family):
    peer.will(says(input=21, output=13, cached=5))
    raw = openai_client.chat.completions.with_raw_response.create(model=family.model, messages=HELLO, max_tokens=50)
    assert raw.headers["x-request-id"].startswith("req_")
    assert raw.headers["x-hivegate-provider"] == family.name
    assert raw.headers["x-hivegate-attempts"] == "1"
    answer = raw.parse()
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"
    usage = answer.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (21, 13, 34)
    assert all(type(count) is int for count in (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens))


@families("openai", "azure", "anthropic", "gemini", "bedrock")
@pytest.mark.parametrize("is_stream", [False, True])
def test_tokens_from_a_cache_are_counted_within_the_prompt(openai_client, peer, family, is_stream):
    peer.will(says(input=21, output=13, cached=5))
    if is_stream:
        options = {"stream": True, "stream_options": {"include_usage": True}}
        usage = list(openai_client.chat.completions.create(model=family.model, messages=HELLO, **options))[-1].usage
    else:
        usage = openai_client.chat.completions.create(model=family.model, messages=HELLO).usage
    assert (usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens) == (21, 5)


@every_family
def test_a_stream_is_the_text_with_one_end_and_no_usage_unasked(openai_client, peer, family):
    peer.will(says())
    chunks = list(openai_client.chat.completions.create(model=family.model, messages=HELLO, stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT
    assert len([chunk for chunk in chunks if chunk.choices[0].delta.content]) > 1
    assert [reason for chunk in chunks if (reason := chunk.choices[0].finish_reason)] == ["stop"]
    # Mistral's last words, which are passed on as they are, hold it always.
    assert all(chunk.usage is None for chunk in chunks) or family.name == "mistral"
    assert len({chunk.id for chunk in chunks}) == 1


@every_family
def test_a_stream_ends_with_the_usage_where_it_is_wanted(openai_client, peer, family):
    peer.will(says(input=21, output=13))
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(openai_client.chat.completions.create(model=family.model, messages=HELLO, **options))
    assert chunks[-1].choices == [] or family.name == "mistral"
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (21, 13)
    assert all(chunk.choices for chunk in chunks[:-1])


@every_family
def test_what_a_stream_ends_with_on_the_wire_is_done(house, peer, family):
    peer.will(says())
    status, fields, body = post(house, "/v1/chat/completions", {"model": family.model, "messages": HELLO, "stream": True})
    assert (status, fields["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    lines = [line for line in body.split(b"\n") if line.strip() and not line.startswith(b":")]
    assert lines[-1].strip() == b"data: [DONE]"
    assert body.count(b"[DONE]") == 1
    # `id:` and events without data make clients fail.
    assert all(line.startswith(b"data: ") for line in lines)


@every_family
def test_an_answer_that_was_cut_says_so(openai_client, peer, family):
    peer.will(says(is_cut=True), says(is_cut=True))
    whole = openai_client.chat.completions.create(model=family.model, messages=HELLO, max_tokens=13)
    assert whole.choices[0].finish_reason == "length"
    chunks = openai_client.chat.completions.create(model=family.model, messages=HELLO, max_tokens=13, stream=True)
    assert [reason for chunk in chunks if (reason := chunk.choices[0].finish_reason)] == ["length"]


@every_family
def test_an_answer_in_a_schema_is_parsed(openai_client, peer, family):
    peer.will(says(json.dumps({"city": "Łódź", "degrees": -3})))
    completions = openai_client.chat.completions if hasattr(openai_client.chat.completions, "parse") else openai_client.beta.chat.completions
    answer = completions.parse(model=family.model, messages=HELLO, response_format=Weather)
    assert answer.choices[0].message.parsed == Weather(city="Łódź", degrees=-3)
    # The schema has reached the provider, in whatever words.
    assert b"degrees" in peer.last.raw


@every_family
def test_two_calls_at_once_are_both_there(openai_client, peer, family):
    peer.will(calls())
    answer = openai_client.chat.completions.create(model=family.model, messages=HELLO, tools=[TOOL])
    assert answer.choices[0].finish_reason == "tool_calls"
    made = answer.choices[0].message.tool_calls
    assert [call.function.name for call in made] == ["get_weather", "get_weather"]
    assert [json.loads(call.function.arguments) for call in made] == [call.arguments for call in CALLS]
    assert len({call.id for call in made}) == 2
    assert b'"get_weather"' in peer.last.raw


@every_family
def test_two_calls_at_once_keep_their_indices_in_a_stream(openai_client, peer, family):
    peer.will(calls())
    ids, names, arguments, reasons = {}, {}, {}, []
    for chunk in openai_client.chat.completions.create(model=family.model, messages=HELLO, tools=[TOOL], stream=True):
        reasons += [chunk.choices[0].finish_reason] if chunk.choices[0].finish_reason else []
        for piece in chunk.choices[0].delta.tool_calls or []:
            if piece.id:
                assert piece.index not in ids, "an id is said once"
                ids[piece.index], names[piece.index] = piece.id, piece.function.name
            arguments[piece.index] = arguments.get(piece.index, "") + (piece.function.arguments or "")
    assert reasons == ["tool_calls"]
    assert names == {0: "get_weather", 1: "get_weather"}
    assert len(set(ids.values())) == 2
    assert {index: json.loads(text) for index, text in arguments.items()} == {0: CALLS[0].arguments, 1: CALLS[1].arguments}


@every_family
def test_the_results_of_calls_go_back_to_who_made_them(openai_client, peer, family):
    peer.will(calls(), says())
    first = openai_client.chat.completions.create(model=family.model, messages=HELLO, tools=[TOOL])
    message = first.choices[0].message
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": f"weather {number}: \"sunny\""}
        for number, call in enumerate(message.tool_calls)
    ]
    conversation = HELLO + [message.model_dump(exclude_none=True)] + results
    second = openai_client.chat.completions.create(model=family.model, messages=conversation, tools=[TOOL])
    assert second.choices[0].message.content == TEXT
    assert peer.results == ['weather 0: "sunny"', 'weather 1: "sunny"']


@families("anthropic", "bedrock", "gemini", "openai-responses")
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_thought_comes_back_with_its_signature(openai_client, peer, family, is_stream):
    signature = "c2lnbmF0dXJl/+b2YrYSt0aG91Z2h0=="
    peer.will(Answer(Reply(calls=CALLS[:1], thought="Let me think.", signature=signature)), says())
    arguments = {"model": family.model, "messages": HELLO, "tools": [TOOL], "reasoning_effort": "high", "max_tokens": 5000}
    if is_stream:
        message = {"role": "assistant", "content": None, "reasoning_details": [], "tool_calls": []}
        thought = ""
        for chunk in openai_client.chat.completions.create(stream=True, **arguments):
            delta = chunk.choices[0].delta
            thought += getattr(delta, "reasoning_content", None) or ""
            message["reasoning_details"] += getattr(delta, "reasoning_details", None) or []
            for piece in delta.tool_calls or []:
                if piece.id:
                    message["tool_calls"].append({"id": piece.id, "type": "function", "function": {"name": piece.function.name, "arguments": ""}})
                message["tool_calls"][piece.index]["function"]["arguments"] += piece.function.arguments or ""
        message["reasoning_content"] = thought
    else:
        answer = openai_client.chat.completions.create(**arguments)
        message = answer.choices[0].message.model_dump(exclude_none=True)
    assert message["reasoning_content"] == "Let me think."
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "sunny"}
    openai_client.chat.completions.create(**(arguments | {"messages": HELLO + [message, result]}))
    assert f'"{signature}"'.encode() in peer.last.raw.replace(b"\\/", b"/")


@families("deepseek", "cohere", "ollama", "openai", "openai-responses")
def test_thoughts_are_told_apart_from_the_answer(openai_client, peer, family):
    peer.will(says(thought="Let me think."), says(thought="Let me think."))
    message = openai_client.chat.completions.create(model=family.model, messages=HELLO).choices[0].message
    assert (message.reasoning_content, message.content) == ("Let me think.", TEXT)
    chunks = list(openai_client.chat.completions.create(model=family.model, messages=HELLO, stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == "Let me think."
    assert "".join(delta.content or "" for delta in deltas) == TEXT


@families("openai", "anthropic", "gemini", "cohere", "ollama", "bedrock")
def test_what_is_said_first_is_told_to_the_provider(openai_client, peer, family):
    messages = [{"role": "system", "content": "Answer in Polish."}, *HELLO, {"role": "assistant", "content": "Hi."}, {"role": "user", "content": "again"}]
    openai_client.chat.completions.create(
        model=family.model, messages=messages, temperature=0.5, max_tokens=17, stop=["END"], top_p=0.5
    )
    for said in [b"Answer in Polish.", b"hello there", b"Hi.", b"again", b"17", b"END", b"0.5"]:
        assert said in peer.last.raw


@families("openai", "anthropic", "gemini", "bedrock", "ollama", "cohere", "openai-responses")
def test_a_picture_reaches_the_provider(openai_client, peer, family):
    picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
    ]
    openai_client.chat.completions.create(model=family.model, messages=[{"role": "user", "content": parts}])
    assert picture.encode() in peer.last.raw.replace(b"\\/", b"/")


def test_unknown_fields_go_to_a_provider_of_the_same_dialect(openai_client, peer):
    openai_client.chat.completions.create(
        model="openai/gpt-peer", messages=HELLO, extra_body={"vendor_thing": {"a": 1}}, metadata={"team": "x"}
    )
    assert peer.last.body["vendor_thing"] == {"a": 1}
    assert peer.last.body["metadata"] == {"team": "x"}
