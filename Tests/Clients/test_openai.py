"""OpenAI's own clients with the models of the sandbox, and with llmock as one more provider."""

import json
import threading
import time

import openai
import pytest

HELLO = [{"role": "user", "content": "hello there"}]
MODELS = ["sandbox/echo", "sandbox/story", "openai/gpt-4o"]


@pytest.fixture
def client(gateway):
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0)


@pytest.fixture
def scripted(upstream):
    """The upstream, back to good behaviour afterwards."""
    yield upstream
    upstream.call("/_llmock/reset", b"{}")


@pytest.mark.parametrize("model", MODELS)
def test_a_completion_has_content_and_integer_usage_and_a_request_id(client, model):
    raw = client.chat.completions.with_raw_response.create(model=model, messages=HELLO)
    assert raw.headers["x-request-id"].startswith("req_")
    completion = raw.parse()
    assert completion.choices[0].message.content
    assert completion.choices[0].finish_reason == "stop"
    usage = completion.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_says_the_same_as_the_whole_answer(client, model):
    whole = client.chat.completions.create(model=model, messages=HELLO, seed=5)
    chunks = list(client.chat.completions.create(model=model, messages=HELLO, seed=5, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert [reason for reason in reasons if reason] == ["stop"]
    assert all(chunk.usage is None for chunk in chunks)


@pytest.mark.parametrize("model", MODELS)
def test_the_usage_ends_a_stream_when_it_was_asked_for(client, model):
    options = {"include_usage": True}
    chunks = list(
        client.chat.completions.create(model=model, messages=HELLO, stream=True, stream_options=options)
    )
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens > 0


def test_the_models_of_the_sandbox_and_of_the_upstream_are_listed(client):
    names = {model.id for model in client.models.list()}
    assert {"sandbox/echo", "sandbox/story", "sandbox/slow", "sandbox/flaky", "openai/gpt-4o"} <= names


def test_asynchronous_calls_work_side_by_side(gateway):
    import asyncio

    async def ask():
        client = openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0)
        async with client:
            calls = [
                client.chat.completions.create(
                    model="sandbox/echo", messages=[{"role": "user", "content": f"number {number}"}]
                )
                for number in range(50)
            ]
            return [answer.choices[0].message.content for answer in await asyncio.gather(*calls)]

    assert asyncio.run(ask()) == [f"Sandbox echo: number {number}" for number in range(50)]


def test_unknown_fields_reach_the_upstream(client):
    answer = client.chat.completions.create(
        model="openai/gpt-4o", messages=HELLO, extra_body={"vendor_thing": {"a": 1}}, metadata={"team": "x"}
    )
    assert answer.choices[0].message.content


def test_a_wrong_key_is_an_authentication_error(gateway):
    for key in ["hg_live_wrong", gateway.key[:-1] + ("A" if gateway.key[-1] != "A" else "B"), "sk-other"]:
        client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0)
        with pytest.raises(openai.AuthenticationError) as failure:
            client.chat.completions.create(model="sandbox/echo", messages=HELLO)
        assert failure.value.code == "invalid_api_key"


def test_a_model_that_does_not_exist_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as failure:
        client.chat.completions.create(model="sandbox/none", messages=HELLO)
    assert failure.value.code == "model_not_found"
    assert failure.value.param == "model"


def test_a_malformed_request_names_every_field(client):
    with pytest.raises(openai.BadRequestError) as failure:
        client.chat.completions.create(model="sandbox/echo", messages=[], n=0, seed="x")
    for field in ["messages", "n:", "seed"]:
        assert field in failure.value.message


def test_flaky_fails_as_its_seed_says(client):
    assert client.chat.completions.create(model="sandbox/flaky", messages=HELLO, seed=0).choices
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="sandbox/flaky", messages=HELLO, seed=1)
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="sandbox/flaky", messages=HELLO, seed=2, stream=True))


def test_a_client_that_leaves_ends_the_request_to_the_upstream(gateway, client, scripted):
    scripted.will({"type": "stream_fault", "kind": "stall", "after_chunks": 2, "stall_seconds": 30})
    stream = client.chat.completions.create(model="openai/gpt-4o", messages=HELLO, stream=True)
    next(iter(stream))
    stream.close()
    deadline = time.monotonic() + 10
    while gateway.metric("hivegate_upstream_transfers") > 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert gateway.metric("hivegate_upstream_transfers") == 0


def test_the_slow_model_streams_as_it_speaks(client):
    started = time.monotonic()
    times = [
        time.monotonic() - started
        for _ in client.chat.completions.create(model="sandbox/slow", messages=HELLO, stream=True, max_tokens=20)
    ]
    assert times[-1] - times[0] > 0.2, "all at once is no stream"


def test_many_streams_at_once_do_not_mix(gateway):
    texts = {}

    def read(number):
        client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0)
        messages = [{"role": "user", "content": " ".join([f"word{number}"] * 200)}]
        stream = client.chat.completions.create(model="sandbox/echo", messages=messages, stream=True)
        texts[number] = "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert texts == {n: "Sandbox echo: " + " ".join([f"word{n}"] * 200) for n in range(20)}


def test_json_that_is_none_is_refused_with_its_place(gateway):
    import urllib.error
    import urllib.request

    request = urllib.request.Request(
        f"{gateway.url}/v1/chat/completions",
        data=b'{"model": "sandbox/echo", }',
        headers={"Authorization": f"Bearer {gateway.key}"},
    )
    with pytest.raises(urllib.error.HTTPError) as failure:
        urllib.request.urlopen(request)
    assert failure.value.code == 400
    assert "byte 26" in json.load(failure.value)["error"]["message"]
