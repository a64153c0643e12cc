"""How the gateway copes with providers that fail, as llmock judges it from what it was asked; and what clients lose."""

import asyncio
import concurrent.futures
import json
import socket
import subprocess
import time

import openai
import pytest
from conftest import LLMOCK, Gateway, free_port, wait_until
from load import ask

HELLO = [{"role": "user", "content": "hello there"}]

SCENARIOS = {
    "a limit": [{"type": "fail", "status": 429, "retry_after": 1}],
    "an error": [{"type": "fail", "status": 500}],
    "too much to do": [{"type": "fail", "status": 503}],
    "too much to do, and a time": [{"type": "fail", "status": 503, "retry_after": 1}],
    "an outage of a few requests": [{"type": "fail", "status": 503, "times": 4}],
    "a refusal": [{"type": "fail", "status": 400}],
    "a connection that is cut": [{"type": "stream_fault", "kind": "disconnect", "after_chunks": 2}],
    "a stream that ends early": [{"type": "stream_fault", "kind": "truncate", "after_chunks": 2}],
    "a stream that ends before it began": [{"type": "stream_fault", "kind": "truncate", "after_chunks": 0}],
    "a stream that pauses": [{"type": "stream_fault", "kind": "stall", "after_chunks": 2, "stall_seconds": 0.9}],
    "a stream that is no JSON": [{"type": "stream_fault", "kind": "malformed", "after_chunks": 2}],
}


@pytest.fixture(scope="module")
def judged(upstream):
    """A gateway of its own: what happens here is no other test's business."""
    instance = Gateway({"OPENAI_API_KEY": "sk-upstream", "OPENAI_BASE_URL": f"{upstream.url}/v1"}).start()
    yield instance
    instance.remove()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_a_provider_sees_of_a_program_behind_the_gateway_is_well_behaved(judged, upstream, scenario):
    client = openai.OpenAI(base_url=f"{judged.url}/v1", api_key=judged.key)
    # Out of what earlier scenarios have left behind.
    wait_until(lambda: ask(judged.port, judged.key, model="openai/gpt-4o") == 200, 30, "an answer")
    for _ in range(12):
        ask(judged.port, judged.key, model="openai/gpt-4o")
    upstream.will(*SCENARIOS[scenario])
    text = None
    # A program that reads streams asks again when one breaks off: only it knows what it has read.
    for _ in range(3):
        try:
            chunks = list(client.chat.completions.create(model="openai/gpt-4o", messages=HELLO, stream=True))
            text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
            break
        except openai.BadRequestError:
            assert scenario == "a refusal"
            break
        except openai.APIError:
            time.sleep(0.2)
    assert text or scenario == "a refusal"
    verdict = upstream.call("/_llmock/verdict")
    upstream.call("/_llmock/reset", b"{}")
    assert verdict["passed"], json.dumps(verdict, indent=1)
    assert verdict["attempts"] <= 6


def test_a_dead_provider_is_asked_hardly_more_often_than_clients_ask(judged, upstream):
    wait_until(lambda: ask(judged.port, judged.key, model="openai/gpt-4o") == 200, 30, "an answer")
    upstream.will({"type": "fail", "status": 503, "times": 1_000_000})
    count = 300
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: ask(judged.port, judged.key, model="openai/gpt-4o"), range(count)))
    attempts = len([request for request in upstream.requests() if "chat" in request["path"]])
    upstream.call("/_llmock/reset", b"{}")
    assert set(statuses) <= {502, 503, 529}
    assert attempts <= 1.2 * count
    wait_until(lambda: ask(judged.port, judged.key, model="openai/gpt-4o") == 200, 90, "the recovery")


def start_llmock():
    port = free_port()
    process = subprocess.Popen(
        [LLMOCK, "serve", "-h", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def listens():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens, what="the start of llmock")
    return process, port


def test_nothing_is_lost_when_a_provider_is_killed_and_another_is_named(make_gateway):
    """500 at once, none of them begun when the first provider dies."""
    first, first_port = start_llmock()
    second, second_port = start_llmock()
    try:
        gateway = make_gateway(
            {
                "OPENAI_API_KEY": "sk-one",
                "OPENAI_BASE_URL": f"http://127.0.0.1:{first_port}/v1",
                "MISTRAL_API_KEY": "sk-two",
                "MISTRAL_API_BASE": f"http://127.0.0.1:{second_port}/mistral/v1",
            }
        ).start()

        async def run():
            client = openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0, timeout=60)
            done = []

            async def one(number):
                raw = await client.chat.completions.with_raw_response.create(
                    model="openai/gpt-4o",
                    messages=[{"role": "user", "content": f"number {number}"}],
                    extra_body={"models": ["mistral/mistral-large-latest"]},
                )
                assert raw.parse().choices[0].message.content
                done.append(raw.headers["x-hivegate-provider"])
                if len(done) == 50:
                    first.kill()

            async with client:
                results = await asyncio.gather(*(one(number) for number in range(500)), return_exceptions=True)
            return done, [result for result in results if result is not None]

        done, lost = asyncio.run(run())
        assert lost == []
        assert len(done) == 500
        assert {"openai", "mistral"} == set(done)
    finally:
        for process in (first, second):
            process.kill()
            process.wait(10)
