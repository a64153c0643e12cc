"""Two gateways behind nginx, as docker/compose.yaml has them: what holds when one is stopped or killed."""

import concurrent.futures
import contextlib
import http.client
import http.server
import json
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import Gateway, free_port, wait_until
from load import Load, ask, wait_for_more
from two_gateways import Databases, DeafServer, LoadBalancer

CHAT = "/v1/chat/completions"


class ToldModel:
    """An upstream that goes on when the test tells it to: `lockstep` event by event, `held` after the first; `silent`
    says nothing before."""

    EVENTS = 8
    PATIENCE = 20

    def __init__(self):
        self.asked = 0
        self.turns = threading.Semaphore(0)
        self.is_released = threading.Event()
        told = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["model"]
                told.asked += 1
                if wanted == "silent":
                    told.is_released.wait(told.PATIENCE)
                # Its gateway may be killed meanwhile.
                with contextlib.suppress(OSError):
                    self.send_response(200)
                    self.send_header("Content-Type", "text/event-stream")
                    self.end_headers()
                    for number in range(told.EVENTS):
                        told.wait(wanted, number)
                        self.wfile.write(f"data: {json.dumps(told.event(wanted, number))}\n\n".encode())
                    self.wfile.write(b"data: [DONE]\n\n")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, model, number):
        if model == "lockstep":
            self.turns.acquire(timeout=self.PATIENCE)
        elif number > 0:
            self.is_released.wait(self.PATIENCE)

    @staticmethod
    def event(model, number):
        choice = {"index": 0, "delta": {"content": f"{number} "}, "finish_reason": None}
        return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Installation:
    def __init__(self, resources):
        self.databases = Databases()
        resources.callback(self.databases.remove)
        self.databases.start()
        self.model = ToldModel()
        resources.callback(self.model.stop)
        self.environment = self.databases.environment | {
            "HIVEGATE_KEY_PEPPERS": f"1:{'p' * 40}",
            "OPENAI_API_KEY": "sk-upstream",
            "OPENAI_BASE_URL": self.model.url,
        }
        self.gateways = [Gateway(self.environment | {"PORT": str(free_port())}) for _ in range(2)]
        for gateway in self.gateways:
            resources.callback(gateway.remove)
            # Both at once: each wants to migrate.
            gateway.start(wait=False)
        for gateway in self.gateways:
            gateway.credentials = {"HIVEGATE_URL": f"http://127.0.0.1:{gateway.environment['PORT']}"}
            wait_until(lambda: gateway.status("/readyz") == 200, what="readiness")
        self.balancer = LoadBalancer([gateway.port for gateway in self.gateways])
        resources.callback(self.balancer.remove)
        self.balancer.start()
        self.key = self.make_organization()

    def make_organization(self):
        keep = {"PATH": "/usr/bin:/bin"}
        made = subprocess.run(
            [self.gateways[0].program, "org", "create", "Acme", "--owner", "ann@acme.example"],
            env=keep | self.environment,
            check=True,
            capture_output=True,
            text=True,
            cwd="/",
        )
        return dict(line.split("=", 1) for line in made.stdout.splitlines())["HIVEGATE_API_KEY"]

    @property
    def port(self):
        return self.balancer.port

    def stream(self, model="sandbox/slow"):
        """An answer that has begun."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "a story"}]}
        connection.request("POST", CHAT, json.dumps(body), {"Authorization": f"Bearer {self.key}"})
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.readline().startswith(b"data: ")
        return answer


@pytest.fixture(scope="module")
def shared():
    with contextlib.ExitStack() as resources:
        yield Installation(resources)


@pytest.fixture
def installation(shared):
    """With both gateways up."""
    for gateway in shared.gateways:
        if gateway.process.poll() is not None:
            gateway.start()
    return shared


def finished(gateway):
    """Completions that reached their end."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    count = 0
    for line in text.splitlines():
        if 'route="createChatCompletion"' not in line:
            continue
        if line.startswith("hivegate_requests_total"):
            count += float(line.rsplit(" ", 1)[1])
        elif line.startswith("hivegate_requests_aborted_total"):
            count -= float(line.rsplit(" ", 1)[1])
    return int(count)


def reaches_its_end(answer):
    try:
        return answer.read().endswith(b"data: [DONE]\n\n")
    except (http.client.HTTPException, OSError):
        return False


def reach_their_end(answers):
    with concurrent.futures.ThreadPoolExecutor(len(answers)) as pool:
        return list(pool.map(reaches_its_end, answers))


def test_a_key_that_one_gateway_made_holds_at_both_and_through_nginx(installation):
    for port in [*(gateway.port for gateway in installation.gateways), installation.port]:
        assert ask(port, installation.key) == 200
        assert ask(port, "hg_live_nobody") == 401


def test_the_login_of_the_gateways_reads_nothing_by_itself_and_no_tenant_without_being_told(installation):
    databases = installation.databases

    def as_gateway(*statements):
        arguments = [word for statement in statements for word in ("-c", statement)]
        return databases.psql("hivegate", *arguments, user="hivegate_gateway")

    assert databases.psql("hivegate", "-c", "SELECT count(*) FROM api_keys") == "1"
    with pytest.raises(AssertionError, match="permission denied"):
        as_gateway("SELECT count(*) FROM api_keys")
    assert as_gateway("SET ROLE hivegate_app", "SELECT count(*) FROM api_keys") == "0"
    with pytest.raises(AssertionError, match="permission denied"):
        as_gateway("SET ROLE hivegate_owner")


def test_each_event_of_a_stream_comes_through_nginx_before_the_next_is_told(installation):
    model = installation.model
    model.turns.release()
    answer = installation.stream("openai/lockstep")
    for _ in range(1, model.EVENTS):
        model.turns.release()
        while not answer.readline().startswith(b"data: "):
            pass
    assert reaches_its_end(answer)


def test_a_client_that_leaves_is_noticed_by_its_gateway(installation):
    before = sum(gateway.metric("hivegate_requests_aborted_total") for gateway in installation.gateways)
    installation.stream().close()
    wait_until(
        lambda: sum(gateway.metric("hivegate_requests_aborted_total") for gateway in installation.gateways) > before,
        limit=20,
        what="the end of the request",
    )


@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics/", "/metrics?a=b", "//metrics", "/%6Detrics", "/v1/../metrics", "/./metrics"]
)
def test_the_metrics_are_not_for_everybody(installation, path):
    connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 404
    assert b"hivegate_" not in answer.read()


def test_gateways_are_stopped_and_started_one_after_the_other_under_load_and_no_request_fails(installation):
    load = Load(installation.port, installation.key, threads=6)
    streams = []
    for _ in range(2):
        for gateway in installation.gateways:
            streams += [installation.stream() for _ in range(4)]
            assert gateway.stop() == 0
            gateway.start()
            time.sleep(0.5)
            wait_for_more(load.results, 25)
    assert all(reach_their_end(streams))
    assert {status for _, _, status in load.stop()} == {200}


def test_only_what_is_under_way_on_a_killed_gateway_is_lost(installation):
    killed, survivor = installation.gateways
    before = finished(survivor)
    installation.model.is_released.clear()
    streams = [installation.stream("openai/held") for _ in range(8)]
    killed.process.send_signal(signal.SIGKILL)
    killed.process.wait(10)
    installation.model.is_released.set()
    ends = reach_their_end(streams)
    # Those that were lost broke off; none looks whole, and each of the survivor's is.
    wait_until(lambda: finished(survivor) == before + ends.count(True), what="the count")
    assert 0 < ends.count(True) < len(ends)
    assert ask(installation.port, installation.key) == 200


def test_a_kill_under_load_fails_no_more_than_was_under_way_at_that_moment(installation):
    load = Load(installation.port, installation.key, threads=6)
    time.sleep(1)
    moment = time.monotonic()
    installation.gateways[0].process.send_signal(signal.SIGKILL)
    installation.gateways[0].process.wait(10)
    gone = time.monotonic()
    time.sleep(3)
    results = load.stop()
    failed = [(end, duration) for end, duration, status in results if status != 200]
    assert len(failed) <= 6
    assert all(end - duration <= gone and end >= moment for end, duration in failed)
    assert sum(1 for end, _, status in results if end > gone and status == 200) > 100


@pytest.fixture
def balance():
    """Makes load balancers that end with the test."""
    with contextlib.ExitStack() as resources:

        def make(ports, changes=None):
            balancer = LoadBalancer(ports, changes)
            resources.callback(balancer.remove)
            return balancer.start()

        yield make


def test_a_gateway_whose_address_answers_nobody_is_passed_over(installation, balance):
    with contextlib.closing(DeafServer()) as gone:
        balancer = balance([gone.port, installation.gateways[1].port])
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: ask(balancer.port, installation.key), range(16))) == {200}


def test_a_model_that_takes_too_long_is_not_asked_twice(installation, balance):
    """With both limits shorter, in the same order."""
    limits = {"proxy_read_timeout 900s;": "proxy_read_timeout 3s;"}
    limits |= {"proxy_next_upstream_timeout 10s;": "proxy_next_upstream_timeout 1s;"}
    balancer = balance([gateway.port for gateway in installation.gateways], limits)
    installation.model.is_released.clear()
    asked = installation.model.asked
    try:
        assert ask(balancer.port, installation.key, model="openai/silent") == 504
    finally:
        installation.model.is_released.set()
    assert installation.model.asked == asked + 1


def test_nginx_stops_when_the_answers_under_way_have_reached_their_end(installation):
    streams = [installation.stream() for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        ending = pool.submit(installation.balancer.stop)
        assert all(reach_their_end(streams))
        assert ending.result() == 0
    installation.balancer.start()


def test_nothing_that_nginx_says_is_a_surprise(installation):
    """What it may say of gateways that were stopped and killed, and of nothing else."""
    expected = ["Connection refused", "prematurely closed", "reset by peer"]
    lines = installation.balancer.output().splitlines()
    lines = [line for line in lines if not any(words in line for words in expected)]
    assert lines == []
