"""OpenAI's own clients: vectors, images, models and responses."""

import base64
import json

import pytest
from families import CALLS, FAMILIES, HELLO, PARAMETERS, TEXT, calls, every_family, families, says
from upstreams import Answer, Reply
from upstreams.openai_chat import vector

openai = pytest.importorskip("openai", reason="OpenAI's client is not in this environment")
pydantic = pytest.importorskip("pydantic")

EMBEDDING = ("openai", "azure", "mistral", "gemini", "cohere", "ollama")
RESPONSES_TOOL = {"type": "function", "name": "get_weather", "description": "The weather.", "parameters": PARAMETERS, "strict": True}


class Weather(pydantic.BaseModel):
    city: str
    degrees: int


# MARK: Vectors, images, models


@families(*EMBEDDING)
@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_vectors_have_the_same_numbers_however_they_are_written(openai_client, peer, family, encoding):
    texts = ["one", "zwei: ü"]
    options = {"encoding_format": encoding} if encoding else {}
    answer = openai_client.embeddings.create(model=family.model, input=texts, **options)
    assert [row.index for row in answer.data] == [0, 1]
    rows = [row.embedding for row in answer.data]
    if encoding == "base64":
        import struct

        rows = [list(struct.unpack(f"<{len(raw) // 4}f", raw)) for raw in map(base64.b64decode, rows)]
    assert rows == [vector(text, None) for text in texts]
    assert answer.usage.prompt_tokens >= 0


@families(*EMBEDDING)
def test_one_text_has_one_vector_of_the_length_that_is_wanted(openai_client, peer, family):
    answer = openai_client.embeddings.create(model=family.model, input="one", dimensions=4)
    assert [row.embedding for row in answer.data] == [vector("one", 4)]


def test_tokens_are_turned_into_a_vector_where_the_provider_takes_them(openai_client, peer):
    answer = openai_client.embeddings.create(model="openai/gpt-peer", input=[[1, 2], [3]])
    assert [row.embedding for row in answer.data] == [vector([1, 2], None), vector([3], None)]
    with pytest.raises(openai.BadRequestError):
        openai_client.embeddings.create(model="cohere/command-peer", input=[[1, 2]])


@pytest.mark.parametrize("model", ["openai/gpt-image-peer", "stability/core", "xai/grok-image-peer"])
def test_images_are_drawn(openai_client, peer, model):
    answer = openai_client.images.generate(model=model, prompt="A lighthouse at dusk – ü", n=2, size="1024x1024")
    assert [base64.b64decode(image.b64_json) for image in answer.data] == [b"\x89PNG drawn"] * 2
    assert peer.last.body["prompt"] == "A lighthouse at dusk – ü"


def test_every_model_that_is_listed_can_be_retrieved(openai_client, peer):
    models = list(openai_client.models.list())
    names = {model.id for model in models}
    assert {"sandbox/echo", "openai/gpt-peer", "azure/gpt-peer", "mistral/mistral-peer"} <= names
    for name in ["sandbox/echo", "openai/gpt-peer"]:
        found = openai_client.models.retrieve(name)
        assert (found.id, found.object) == (name, "model")
    with pytest.raises(openai.NotFoundError):
        openai_client.models.retrieve("sandbox/none")


# MARK: Responses


@every_family
def test_a_response_has_its_text_and_usage(openai_client, peer, family):
    peer.will(says(input=21, output=13))
    response = openai_client.responses.create(model=family.model, input="hello there", instructions="Be brief.", store=False)
    assert (response.object, response.status, response.output_text) == ("response", "completed", TEXT)
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (21, 13, 34)
    assert b"Be brief." in peer.last.raw


@every_family
def test_a_responses_events_are_numbered_and_make_up_the_response(openai_client, peer, family):
    peer.will(says())
    events = list(openai_client.responses.create(model=family.model, input="hello there", stream=True))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    for needed in ["output_item.added", "content_part.added", "output_text.done", "content_part.done", "output_item.done"]:
        assert kinds.count(f"response.{needed}") == 1
    numbers = [event.sequence_number for event in events]
    assert numbers == sorted(set(numbers))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TEXT
    assert events[-1].response.output_text == TEXT


@every_family
def test_the_stream_manager_gives_the_final_response(openai_client, peer, family):
    peer.will(says())
    with openai_client.responses.stream(model=family.model, input="hello there") as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text == TEXT


@every_family
def test_a_response_in_a_schema_is_parsed(openai_client, peer, family):
    peer.will(says(json.dumps({"city": "Łódź", "degrees": -3})))
    response = openai_client.responses.parse(model=family.model, input="hello there", text_format=Weather)
    assert response.output_parsed == Weather(city="Łódź", degrees=-3)


@pytest.mark.parametrize("is_stream", [False, True])
@every_family
def test_a_response_calls_tools_and_reads_their_results(openai_client, peer, family, is_stream):
    peer.will(calls(), says())
    arguments = {"model": family.model, "tools": [RESPONSES_TOOL], "store": False}
    if is_stream:
        events = list(openai_client.responses.create(input="hello there", stream=True, **arguments))
        finished = [event for event in events if event.type == "response.function_call_arguments.done"]
        assert [json.loads(event.arguments) for event in finished] == [call.arguments for call in CALLS]
        response = events[-1].response
    else:
        response = openai_client.responses.create(input="hello there", **arguments)
    made = [item for item in response.output if item.type == "function_call"]
    assert [json.loads(item.arguments) for item in made] == [call.arguments for call in CALLS]
    assert len({item.call_id for item in made}) == 2
    results = [
        {"type": "function_call_output", "call_id": item.call_id, "output": f"weather {number}"}
        for number, item in enumerate(made)
    ]
    # Some items have members that only an answer has.
    said = [item.model_dump(exclude_none=True, exclude={"status", "parsed_arguments"}) for item in response.output]
    answer = openai_client.responses.create(input=[*HELLO, *said, *results], **arguments)
    assert answer.output_text == TEXT
    assert peer.results == ["weather 0", "weather 1"]


@families("anthropic", "bedrock", "gemini", "openai-responses")
def test_a_responses_thought_goes_back_sealed(openai_client, peer, family):
    signature = "c2lnbmF0dXJl/+b2YrYSt0aG91Z2h0=="
    peer.will(Answer(Reply(calls=CALLS[:1], thought="Let me think.", signature=signature)), says())
    arguments = {
        "model": family.model, "tools": [RESPONSES_TOOL], "store": False, "reasoning": {"effort": "high", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
    }
    response = openai_client.responses.create(input="hello there", **arguments)
    said = [item.model_dump(exclude_none=True, exclude={"status", "parsed_arguments"}) for item in response.output]
    assert [item["type"] for item in said] == ["reasoning", "function_call"]
    result = {"type": "function_call_output", "call_id": said[-1]["call_id"], "output": "sunny"}
    openai_client.responses.create(input=[*HELLO, *said, result], **arguments)
    assert f'"{signature}"'.encode() in peer.last.raw.replace(b"\\/", b"/")


@families(*(family.label for family in FAMILIES if not family.has_responses))
def test_tools_that_only_openai_runs_are_left_out_by_name(openai_client, peer, family):
    tools = [RESPONSES_TOOL, {"type": "web_search"}, {"type": "namespace", "name": "team", "description": "x", "tools": [RESPONSES_TOOL]}]
    raw = openai_client.responses.with_raw_response.create(model=family.model, input="hello there", tools=tools)
    assert raw.headers["x-hivegate-omitted"].split(", ")[:2] == ["tools.web_search", "tools.namespace"]
    assert b"get_weather" in peer.last.raw and b"web_search" not in peer.last.raw
    alone = openai_client.responses.create(model=family.model, input="hello there", tools=tools[1:2])
    assert alone.output_text
    if family.chat.__name__ in ("upstreams.openai_chat", "upstreams.mistral"):
        return
    with pytest.raises(openai.BadRequestError):
        openai_client.responses.create(model=family.model, input="x", tools=tools[1:2], tool_choice="required")


# MARK: Responses of providers who speak that themselves

SPEAKING = ["openai", "azure", "openai-responses"]


@pytest.mark.parametrize("is_stream", [False, True])
@families(*SPEAKING)
def test_what_only_this_api_can_say_reaches_the_provider(openai_client, peer, family, is_stream):
    own = {
        "tools": [{"type": "web_search"}, {"type": "mcp", "server_label": "docs", "server_url": "https://mcp.example"}],
        "tool_choice": {"type": "web_search"},
        "previous_response_id": "resp_0",
        "store": True,
        "include": ["web_search_call.action.sources"],
        "truncation": "auto",
    }
    raw = openai_client.responses.with_raw_response.create(model=family.model, input="hello there", stream=is_stream, **own)
    assert "x-hivegate-omitted" not in raw.headers
    answer = list(raw.parse())[-1].response if is_stream else raw.parse()
    assert answer.output_text == "Hello from the provider."
    assert peer.last.path.endswith("/responses")
    assert peer.last.body == own | {"model": family.model.split("/")[1], "input": "hello there", "stream": is_stream}


@families(*SPEAKING)
def test_a_response_to_one_that_is_kept_is_asked_of_who_keeps_it(openai_client, peer, family):
    kept = {"input": "again", "previous_response_id": "resp_0", "store": True}
    fallback = {"models": ["anthropic/claude-peer", family.model]}
    response = openai_client.responses.create(model="mistral/mistral-peer", extra_body=fallback, **kept)
    assert response.output_text
    assert [asked.provider.name for asked in peer.asked] == [family.name]


@families(*(family.label for family in FAMILIES if not family.has_responses))
@pytest.mark.parametrize("field, value", [("previous_response_id", "resp_0"), ("conversation", "conv_0")])
def test_what_nobody_has_kept_is_refused_with_the_way_out(openai_client, peer, family, field, value):
    with pytest.raises(openai.BadRequestError) as failure:
        openai_client.responses.create(model=family.model, input="again", extra_body={field: value})
    assert failure.value.param == field
    assert "send the whole conversation in input" in failure.value.message
    assert not peer.asked


@every_family
def test_an_answer_that_nobody_could_fetch_is_not_asked_for(openai_client, peer, family):
    with pytest.raises(openai.BadRequestError) as failure:
        openai_client.responses.create(model=family.model, input="hello there", background=True)
    assert failure.value.param == "background"
    assert not peer.asked


@families(*SPEAKING)
def test_a_chat_is_translated_only_where_the_model_wants_it(openai_client, peer, family):
    openai_client.chat.completions.create(model=family.model, messages=HELLO)
    path = "/responses" if family.way else "/chat/completions"
    assert peer.last.path.endswith(path)
