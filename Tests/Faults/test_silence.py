"""Providers that think for a while before they speak, or in the middle."""

import threading

from upstreams import Answer, Reply
from upstreams.asking import post

HELLO = [{"role": "user", "content": "hello there"}]


def test_half_a_minute_of_silence_is_bridged_in_every_dialect(house, peer):
    """All at once, because it takes so long: before the first word, and after it."""
    chat = {"model": "openai/gpt-peer", "messages": HELLO, "stream": True}
    messages = {"model": "anthropic/claude-peer", "max_tokens": 50, "messages": HELLO, "stream": True}
    responses = {"model": "bedrock/eu.anthropic.claude-peer-v1:0", "input": "hello there", "stream": True}
    late = {"model": "gemini/gemini-peer", "messages": HELLO, "stream": True}
    asking = {"chat": ("/v1/chat/completions", chat), "messages": ("/v1/messages", messages)}
    asking |= {"responses": ("/v1/responses", responses), "late": ("/v1/chat/completions", late)}
    answers = {}

    def ask(name):
        answers[name] = post(house, *asking[name])

    early = ("openai", "bedrock")
    peer.always = lambda asked: Answer(Reply("Grüße. " * 9), silence=(0 if asked.provider.name in early else 3, 31.0))
    threads = [threading.Thread(target=ask, args=(name,)) for name in asking]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {name: answer[0] for name, answer in answers.items()} == dict.fromkeys(asking, 200)
    texts = {name: answer[2] for name, answer in answers.items()}
    for name in ("chat", "late", "responses"):
        assert len([line for line in texts[name].split(b"\n") if line.startswith(b":")]) >= 2
    assert texts["messages"].count(b"event: ping") >= 2
    assert texts["chat"].strip().endswith(b"data: [DONE]")
    assert texts["late"].strip().endswith(b"data: [DONE]")
    assert b"event: message_stop" in texts["messages"]
    assert b"event: response.completed" in texts["responses"]
