"""Several who ask the same at the same moment: how often the provider is asked."""

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median

from limited_organization import ENOUGH, LimitedOrganization
from peers import LiteLLM, Upstreams
from processes import Hivegate, free_port
from redis_server import Redis
from report import progress
from whole_answers import chat, completion

CALLERS = 20
# Long enough that all have come before there is an answer, also where it takes long to pass one on.
SECONDS_OF_THOUGHT = 1.5


class ThinkingProvider:
    """Answers after a while, and counts what it is asked. Nothing of it is measured, so it lives in this process."""

    def __init__(self):
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                with provider.lock:
                    provider.calls += 1
                time.sleep(SECONDS_OF_THOUGHT)
                text = completion().encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.calls, self.lock, self.port = 0, threading.Lock(), free_port()
        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def calls_for_a_storm(provider, port, model, key):
    """All are connected before the first asks."""
    body = json.loads(chat(model, key).body) | {"temperature": 0}
    body["messages"][1]["content"] += str(time.time_ns())
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    before, start = provider.calls, threading.Barrier(CALLERS)

    def ask(_):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        start.wait()
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    with ThreadPoolExecutor(CALLERS) as callers:
        statuses = list(callers.map(ask, range(CALLERS)))
    if statuses != [200] * CALLERS:
        raise SystemExit(f"the callers got {statuses}")
    return provider.calls - before


def measure_duplicate_storm(bench, report, program, owner, quick):
    provider = ThinkingProvider()
    bench.servers.append(provider)
    organization = LimitedOrganization(
        program, owner, "storm", {"organization": {"requests_per_minute": ENOUGH}})
    server = Hivegate(
        "storm", bench.directory, program, f"http://127.0.0.1:{provider.port}", databases_of=owner,
        settings={"RESPONSE_CACHE": "true"})
    bench.start(server).wait_until_ready()
    ways = {"hivegate": (server.port, "openai/gpt-4o-mini", organization.key)}
    if LiteLLM.version():
        progress("starting LiteLLM with a cache")
        redis = bench.start(Redis("storm-redis", bench.directory, free_port()))
        peer = bench.start(LiteLLM(bench.directory, Upstreams(provider.port, provider.port), redis))
        peer.wait_until_it_answers("whole")
        ways[LiteLLM.label] = (peer.port, peer.model("whole"), peer.key)
    calls = {name: [] for name in ways}
    for _ in range(3 if quick else 7):
        for name, way in ways.items():
            calls[name].append(calls_for_a_storm(provider, *way))
    worst = max(calls["hivegate"])
    theirs = (
        f"LiteLLM {median(calls[LiteLLM.label]):.0f} calls" if LiteLLM.label in calls else "LiteLLM not installed")
    report.add(
        f"{CALLERS} who ask the same at once, most", f"{worst} call{'s' if worst != 1 else ''}", theirs,
        goal="1 call", is_reached=worst == 1)
