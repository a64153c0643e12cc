"""What the Python tests share: a gateway of their own, and peers for it."""

import contextlib
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import pytest

from upstreams import Upstreams
from upstreams.asking import make_well

ROOT = pathlib.Path(__file__).resolve().parent.parent
# llmock lives in the main environment, also when the tests run in another one.
LLMOCK = ROOT / ".venv" / "bin" / "llmock"
START_LIMIT = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, limit=START_LIMIT, what="it"):
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {limit} s")


@functools.cache
def program() -> str:
    given = os.environ.get("HIVEGATE_PROGRAM")
    if given:
        return given
    path = subprocess.run(
        ["swift", "build", "--show-bin-path"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    return f"{path}/hivegate"


class Gateway:
    """`hivegate serve` with a data directory of its own."""

    def __init__(self, environment=None, data=None):
        self.data = data or tempfile.mkdtemp(prefix="hivegate-test-", dir="/tmp")
        os.chmod(self.data, 0o755)
        self.environment = environment or {}
        self.process = None
        self.credentials = {}
        self.program = program()

    def start(self, wait=True):
        keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        # What else runs on this machine is no test's business.
        environment = keep | {"PORT": "0", "HIVEGATE_DATA": self.data, "LOCAL_SERVERS": ""}
        # All tests come from one address, and more often in a minute than people do.
        environment |= {"ADDRESS_REQUESTS_PER_MINUTE": "0"} | self.environment
        if "DATABASE_URL" in environment:
            return self.start_on_given_databases(environment, wait)
        credentials = pathlib.Path(self.data, "credentials.env")
        before = credentials.stat().st_mtime_ns if credentials.exists() else 0
        self.launch(environment)
        if not wait:
            return self
        wait_until(
            lambda: self.process.poll() is not None
            or (credentials.exists() and credentials.stat().st_mtime_ns != before),
            what="the start of the gateway",
        )
        if self.process.poll() is not None:
            raise AssertionError(f"the gateway ended with {self.process.returncode}:\n{self.output()}")
        self.credentials = dict(line.split("=", 1) for line in credentials.read_text().splitlines())
        wait_until(lambda: self.status("/readyz") == 200, what="readiness")
        return self

    def launch(self, environment):
        self.log = open(pathlib.Path(self.data, "gateway.log"), "ab")
        self.process = subprocess.Popen(
            [self.program, "serve"], cwd=ROOT, env=environment, stdout=self.log, stderr=self.log
        )

    def start_on_given_databases(self, environment, wait):
        """There it makes no organization, and so writes no credentials: it says where it is, and that is all."""
        log = pathlib.Path(self.data, "gateway.log")
        earlier = log.stat().st_size if log.exists() else 0

        def announced():
            return re.search(r"^Hivegate \S+ is ready on (\S+)$", log.read_bytes()[earlier:].decode(), re.MULTILINE)

        self.launch(environment)
        if not wait:
            return self
        wait_until(lambda: self.process.poll() is not None or announced(), what="the start of the gateway")
        if self.process.poll() is not None:
            raise AssertionError(f"the gateway ended with {self.process.returncode}:\n{self.output()}")
        self.credentials = {"HIVEGATE_URL": announced()[1]}
        wait_until(lambda: self.status("/readyz") == 200, what="readiness")
        return self

    @property
    def url(self):
        return self.credentials["HIVEGATE_URL"]

    @property
    def key(self):
        return self.credentials["HIVEGATE_API_KEY"]

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    def output(self):
        return pathlib.Path(self.data, "gateway.log").read_text(errors="replace")

    def status(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def metric(self, name, label=""):
        """The sum of a family's series, or of those that `label` is part of."""
        with urllib.request.urlopen(self.url + "/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        values = [line.rsplit(" ", 1) for line in lines if line.split("{")[0].split(" ")[0] == name and label in line]
        return sum(float(value) for _, value in values)

    def children(self):
        """The pids of its own servers, by name."""
        found = {}
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                if int(fields[1]) == self.process.pid:
                    found[(entry / "comm").read_text().strip()] = int(entry.name)
            except (OSError, IndexError):
                continue
        return found

    def stop(self, signal_number=signal.SIGTERM, limit=60):
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else None
        self.process.send_signal(signal_number)
        return self.process.wait(limit)

    def remove(self):
        self.stop(signal.SIGKILL)
        # Its servers end with it; until then they would write into what is being removed.
        time.sleep(0.2)
        shutil.rmtree(self.data, ignore_errors=True)


@pytest.fixture
def make_gateway():
    """Makes gateways that end with the test."""
    made = []

    def make(environment=None, data=None):
        gateway = Gateway(environment, data)
        made.append(gateway)
        return gateway

    yield make
    for gateway in made:
        gateway.remove()


class Upstream:
    """llmock: an OpenAI-compatible server whose faults can be scripted."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [LLMOCK, "serve", "-h", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self.is_listening, what="the start of llmock")

    def is_listening(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def will(self, *behaviours):
        """What its next answers do: {"type": "fail", "status": 429}, …"""
        self.call("/_llmock/reset", b"{}")
        self.call("/_llmock/scenario", json.dumps({"behaviors": behaviours}).encode())

    def requests(self):
        """The requests since the last script."""
        return self.call("/_llmock/requests")["requests"]

    def call(self, path, body=None):
        with urllib.request.urlopen(self.url + path, data=body, timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="session")
def upstream():
    server = Upstream()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def gateway(upstream):
    """A gateway whose models openai/… are llmock's."""
    instance = Gateway({"OPENAI_API_KEY": "sk-upstream", "OPENAI_BASE_URL": f"{upstream.url}/v1"}).start()
    yield instance
    instance.remove()


@pytest.fixture(scope="session")
def providers():
    """Providers of every dialect, which say what a test wants them to."""
    server = Upstreams()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def house(providers):
    """A gateway with all those providers."""
    instance = Gateway(providers.environment | {"SHARED_PROVIDER_STATE": "true"}).start()
    yield instance
    instance.remove()


@pytest.fixture
def peer(providers, house):
    """The providers, well before the test and after it."""
    with kept_well(providers, house):
        yield providers


@contextlib.contextmanager
def kept_well(providers, gateway):
    providers.reset()
    yield
    troubles = providers.troubles
    unwell = {asked.provider for asked in providers.asked if asked.is_faulty}
    providers.reset()
    for provider in unwell:
        make_well(gateway, provider)
    providers.reset()
    assert troubles == [], "a provider was asked what it could not read"


@pytest.fixture
def openai_client(house):
    openai = pytest.importorskip("openai", reason="OpenAI's client is not in this environment")
    return openai.OpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0)


@pytest.fixture
def anthropic_client(house):
    anthropic = pytest.importorskip("anthropic", reason="Anthropic's client is not in this environment")
    return anthropic.Anthropic(base_url=house.url, api_key=house.key, max_retries=0)
