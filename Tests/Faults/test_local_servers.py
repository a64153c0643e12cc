"""Servers of the house come and go while the gateway runs: their models are there as long as they are."""

import json
import urllib.request

import pytest
from conftest import free_port, wait_until
from test_process import run
from upstreams import LocalServer
from upstreams.asking import post

# A server is looked for every 10 s, and is gone when it was not there three times.
FOUND, GONE = 20, 45
KNOWN = "ollama/llama3.1:latest"


@pytest.fixture
def serve():
    """Starts local servers that end with the test."""
    started = []

    def start(*arguments, **more):
        started.append(LocalServer(*arguments, **more))
        return started[-1]

    yield start
    for server in started:
        if server.thread.is_alive():
            server.stop()


def models_at(gateway, path):
    request = urllib.request.Request(gateway.url + path, headers={"Authorization": f"Bearer {gateway.key}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return {model["id"] for model in json.load(answer)["data"]}


def listed(gateway):
    """The models that only their servers know of."""
    catalogue = models_at(gateway, "/api/v1/models?limit=1000&include_deprecated=true")
    return {name for name in models_at(gateway, "/v1/models") - catalogue if not name.startswith("sandbox/")}


def says(gateway, model, **more):
    """The status and the text of a chat."""
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}]} | more
    status, _, answer = post(gateway, "/v1/chat/completions", body)
    return status, answer.decode()


def news(gateway):
    """What the log says of local servers."""
    entries = [json.loads(line) for line in gateway.output().splitlines() if line.startswith("{")]
    news = [entry for entry in entries if entry["message"].startswith("a local server is ")]
    return [(entry["message"].split()[-1], entry["provider"], entry["url"]) for entry in news]


def test_servers_are_found_while_the_gateway_runs_and_asked_as_long_as_they_are_there(make_gateway, serve):
    models = {
        "ollama": ["llama-peer:8b", "hf.co/ada/mine-GGUF:Q4_K_M", "llama3.1:latest"],
        "vllm": ["Peer/Peer-8B"],
        "llamacpp": ["peer.gguf"],
        "lmstudio": ["peer/peer-4b"],
    }
    ports = {name: free_port() for name in models}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    gateway = make_gateway({"LOCAL_SERVERS": ",".join(urls.values())}).start()
    assert listed(gateway) == set()
    assert says(gateway, "ollama/llama-peer:8b")[0] == 404

    servers = {name: serve(name, *models[name], port=ports[name]) for name in models}
    everything = {f"{name}/{model}" for name in models for model in models[name]} - {KNOWN}
    wait_until(lambda: listed(gateway) == everything, FOUND, "the discovery of all servers")
    # Of the models of the catalogue those that are there.
    assert {name for name in models_at(gateway, "/v1/models") if name.startswith("ollama/")} - everything == {"ollama/llama3.1"}
    for name in everything | {KNOWN}:
        status, text = says(gateway, name)
        assert status == 200 and "Hello from the provider." in text, name
    status, text = says(gateway, "ollama/llama-peer:8b", stream=True)
    assert status == 200 and text.endswith("data: [DONE]\n\n")
    for server in servers.values():
        assert server.troubles == [] and len(server.asked) > 0
        assert all("authorization" not in asked.fields for asked in server.asked)

    servers["ollama"].stop()
    rest = {name for name in everything if not name.startswith("ollama/")}
    wait_until(lambda: says(gateway, "ollama/llama-peer:8b")[0] == 404, GONE, "the disappearance of a server")
    assert listed(gateway) == rest
    assert says(gateway, "vllm/Peer/Peer-8B")[0] == 200

    serve("ollama", "qwen-peer:4b", port=ports["ollama"])
    wait_until(lambda: listed(gateway) == rest | {"ollama/qwen-peer:4b"}, FOUND, "the return of a server")
    assert says(gateway, "ollama/qwen-peer:4b")[0] == 200
    first = sorted(("there", name, url) for name, url in urls.items())
    log = news(gateway)
    assert sorted(log[:4]) == first, "each was found once"
    assert log[4:] == [("gone", "ollama", urls["ollama"]), ("there", "ollama", urls["ollama"])]


def test_nobody_else_is_taken_for_a_server_of_the_house(make_gateway, serve, house):
    own = free_port()
    known = serve("vllm", "Peer/Peer-8B")
    others = [serve("openai", "gpt-peer"), serve("llamacpp", "peer.gguf", key="x"), serve("vllm", "p", key="x")]
    empty = serve("ollama")
    addresses = [f"http://127.0.0.1:{own}", house.url, known.url, *(server.url for server in others), empty.url]
    settings = {
        "PORT": str(own),
        "LOCAL_SERVERS": ",".join(addresses),
        "VLLM_BASE_URL": f"http://localhost:{known.port}/v1",
        # It leads nowhere, and to what is found it need not.
        "HIVEGATE_OUTBOUND_PROXY": "http://127.0.0.1:1",
        "LOG_LEVEL": "debug",
    }
    gateway = make_gateway(settings).start()
    found = [("there", "ollama", empty.url)]
    wait_until(lambda: news(gateway) == found, FOUND, "the discovery of the one that is one")
    assert says(gateway, "ollama/pulled-meanwhile")[0] == 200
    assert known.shown == [], "the environment says who it is"
    rounds = others[0].shown.count("/v1/models")
    wait_until(lambda: others[0].shown.count("/v1/models") > rounds + 1, 2 * FOUND, "two more rounds")
    assert news(gateway) == found
    assert '"route":"/v1/models"' not in gateway.output(), "it does not ask itself"


def test_addresses_that_cannot_be_looked_at_refuse_to_start(make_gateway):
    for wrong in ["127.0.0.1:11434", "http://127.0.0.1:11434/v1", "http://root:hunter2@127.0.0.1:11434"]:
        code, _, errors = run(make_gateway(), "serve", LOCAL_SERVERS=f"http://127.0.0.1:8000,{wrong}")
        assert code == 78 and "LOCAL_SERVERS: address 2 must be" in errors
        assert "hunter2" not in errors
    addresses = [f"http://127.0.0.1:{port}" for port in range(9000, 9017)]
    code, _, errors = run(make_gateway(), "check-config", LOCAL_SERVERS=",".join(addresses))
    assert code == 78 and "LOCAL_SERVERS: has 17 addresses" in errors
    code, output, _ = run(make_gateway(), "check-config", LOCAL_SERVERS="")
    assert code == 0 and "LOCAL_SERVERS=  # set" in output
