"""Providers whose answers are none: a bad gateway, in the client's own dialect."""

import concurrent.futures
import json

import pytest
from upstreams import Answer, Reply
from upstreams.asking import post
from upstreams.providers import PROVIDERS

NAMES = ["openai", "azure", "mistral", "deepseek", "anthropic", "gemini", "cohere", "ollama", "bedrock"]
FRONTS = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hello"}]},
    "/v1/messages": {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 50},
    "/v1/responses": {"input": "hello"},
}


def said(asked, text="abc"):
    """What would be right."""
    return asked.dialect.encode(asked.dialect.whole(Reply(text), asked.body))


WRONG = {
    "garbage": lambda asked: Answer(body=b"\x00\x01 this is no JSON"),
    "an empty body": lambda asked: Answer(body=b""),
    "another value": lambda asked: Answer(body=b"[1, 2, 3]"),
    "an empty object": lambda asked: Answer(body=b"{}"),
    "a page": lambda asked: Answer(body=b"<html>Welcome to the hotel</html>", content_type="text/html"),
    "half an object": lambda asked: Answer(body=said(asked)[:-9]),
    "something behind the end": lambda asked: Answer(body=said(asked) + b"}"),
    "fewer bytes than promised": lambda asked: Answer(extra_length=10),
    "more bytes than promised": lambda asked: Answer(extra_length=-10),
    "invalid UTF-8": lambda asked: Answer(body=said(asked).replace(b"abc", b"a\xff\xfec")),
    "half a surrogate": lambda asked: Answer(body=said(asked).replace(b"abc", rb"a\ud800c")),
}


def everywhere(ask, names):
    """All providers at once, because each is asked again after a pause."""
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(ask, names)))


@pytest.mark.parametrize("path", FRONTS)
@pytest.mark.parametrize("wrong", WRONG)
def test_an_answer_that_is_none_is_a_bad_gateway(house, peer, path, wrong):
    peer.always = WRONG[wrong]
    # Within a dialect an answer is passed on as it is, and what is not read is not judged.
    names = [name for name in NAMES if wrong != "an empty object" or not PROVIDERS[name].speaks(path)]

    def ask(name):
        status, _, body = post(house, path, FRONTS[path] | {"model": PROVIDERS[name].model})
        error = json.loads(body)["error"]
        return status, error["type"]

    kinds = {(502, "api_error"), (502, "server_error")}
    assert {name: answer for name, answer in everywhere(ask, names).items() if answer not in kinds} == {}


@pytest.mark.parametrize("path", FRONTS)
def test_a_success_that_is_no_stream_never_looks_like_one(house, peer, path):
    peer.always = lambda asked: Answer(body=b"<html>Welcome to the hotel</html>", content_type="text/html")

    def ask(name):
        status, _, body = post(house, path, FRONTS[path] | {"model": PROVIDERS[name].model, "stream": True})
        return status, b"error" in body and b"[DONE]" not in body and b"completed" not in body and b"_stop" not in body

    answers = everywhere(ask, NAMES)
    assert {name: answer for name, answer in answers.items() if answer != (502, True)} == {}
