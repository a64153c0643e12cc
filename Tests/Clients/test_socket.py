"""The chat socket, with a client that others use too."""

import asyncio
import json

import pytest

websockets = pytest.importorskip("websockets", reason="the client of sockets is not in this environment")
connect = pytest.importorskip("websockets.asyncio.client").connect


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 60))


def address(gateway):
    return f"ws://127.0.0.1:{gateway.port}/api/v1/chat/ws"


def bearer(gateway):
    return {"Authorization": f"Bearer {gateway.key}"}


async def until_end(socket, name):
    """The events of a request, to its end; those of others are dropped."""
    events = []
    while not events or events[-1]["type"] not in ("end", "error"):
        event = json.loads(await socket.recv())
        if event["id"] == name:
            events.append(event)
    return events


@pytest.mark.parametrize("model", ["sandbox/echo", "openai/gpt-4o"])
def test_a_request_is_answered_by_its_events(gateway, model):
    async def ask():
        async with connect(address(gateway), additional_headers=bearer(gateway)) as socket:
            await socket.send(json.dumps({"id": "a", "model": model, "prompt": "hello there"}))
            return await until_end(socket, "a")

    events = run(ask())
    types = [event["type"] for event in events]
    assert types[0] == "start" and types[-2:] == ["usage", "end"]
    assert events[0]["provider"] == model.split("/")[0]
    assert "".join(event["text"] for event in events if event["type"] == "text")
    assert events[-2]["usage"]["output"] > 0


def test_many_requests_share_a_socket(gateway):
    async def ask():
        async with connect(address(gateway), additional_headers=bearer(gateway)) as socket:
            names = [f"r{number}" for number in range(16)]
            for name in names:
                await socket.send(json.dumps({"id": name, "model": "sandbox/slow", "prompt": name}))
            texts = dict.fromkeys(names, 0)
            ended = set()
            while ended != set(names):
                event = json.loads(await socket.recv())
                assert event["id"] not in ended
                texts[event["id"]] += event["type"] == "text"
                if event["type"] == "end":
                    ended.add(event["id"])
            return texts

    assert all(count > 1 for count in run(ask()).values())


def test_a_browser_names_its_key_among_the_protocols(gateway):
    async def ask():
        protocols = ["hivegate", f"hivegate.key.{gateway.key}"]
        async with connect(address(gateway), subprotocols=protocols) as socket:
            assert socket.subprotocol == "hivegate"
            await socket.send(json.dumps({"id": "a", "model": "sandbox/echo", "prompt": "x", "stream": True}))
            return await until_end(socket, "a")

    assert run(ask())[-1]["finish_reason"] == "stop"


def test_nobody_gets_in_without_a_key(gateway):
    async def ask(**options):
        async with connect(address(gateway), **options):
            pass

    for options in ({}, {"additional_headers": {"Authorization": "Bearer none"}}):
        with pytest.raises(websockets.InvalidStatus) as refusal:
            run(ask(**options))
        assert refusal.value.response.status_code == 401


def test_nonsense_closes_the_socket_with_its_code(gateway):
    async def say(message):
        # Not closed by us: the client's own way to do so fails where a connection is lost while it sends.
        socket = await connect(address(gateway), additional_headers=bearer(gateway))
        with pytest.raises(websockets.ConnectionClosed) as end:
            await socket.send(message)
            await socket.recv()
        return end.value.rcvd.code

    assert run(say("no JSON")) == 1007
    assert run(say(b"{}")) == 1003
    assert run(say("{}")) == 1008
    assert run(say('{"id":"' + "x" * 4_300_000 + '"}')) == 1009
