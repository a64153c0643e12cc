"""The processes that are measured, and their figures from /proc."""

import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from urllib.parse import quote

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
START_LIMIT = 60
GIVEN = set()


def free_port():
    """Below those that the kernel gives to outgoing connections, so that nobody takes it before it is used."""
    while True:
        port = random.randrange(15_000, 30_000)
        with socket.socket() as probe:
            if port not in GIVEN and probe.connect_ex(("127.0.0.1", port)) != 0:
                GIVEN.add(port)
                return port


def wait_until(condition, what, limit=START_LIMIT, pause=0.02):
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} did not happen within {limit} s")
        time.sleep(pause)


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def cpu_seconds(pid):
    """User and system time of all its threads, not of its children."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def cpu_seconds_of_all(pid):
    """User and system time of a process and of all that it has started, be they over or not."""
    total = 0
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total = sum(map(int, fields[11:15])) / TICKS_A_SECOND
        for child in children(pid):
            total += cpu_seconds_of_all(child)
    except (FileNotFoundError, ProcessLookupError):
        pass  # It ended meanwhile: then its time is its parent's.
    return total


def children(pid):
    found = []
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (thread / "children").read_text().split())
    return found


def resident_kilobytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise SystemExit(f"process {pid} has ended")


class Server:
    """A process of ours: started in `directory`, ended by its pid."""

    def __init__(self, name, command, directory, environment=None):
        self.name = name
        self.directory = pathlib.Path(directory)
        self.log = open(self.directory / f"{name}.log", "ab")
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=self.log, stderr=self.log
        )

    @property
    def pid(self):
        return self.process.pid

    def cpu_seconds(self):
        """What its requests have cost."""
        return cpu_seconds(self.measured)

    def wait_for(self, condition, what, pause=0.02):
        def is_settled():
            if self.process.poll() is not None:
                text = (self.directory / f"{self.name}.log").read_text(errors="replace")
                raise SystemExit(f"{self.name} ended with {self.process.returncode}:\n{text}")
            return condition()

        wait_until(is_settled, what, pause=pause)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(START_LIMIT)
        self.log.close()


class Nginx(Server):
    """nginx with one worker and its access log off."""

    def __init__(self, name, servers, directory, modules=()):
        configuration = pathlib.Path(directory, f"{name}.conf")
        loads = "".join(f"load_module modules/{module}.so;\n" for module in modules)
        text = NGINX.replace("DIRECTORY", str(directory)).replace("NAME", name)
        configuration.write_text(loads + text + servers + "}\n")
        command = ["nginx", "-c", str(configuration), "-e", f"{directory}/{name}.error"]
        super().__init__(name, command, directory)
        self.wait_for(lambda: children(self.pid), f"the start of {name}")
        self.worker = children(self.pid)[0]

    @property
    def measured(self):
        return self.worker


NGINX = """
daemon off;
worker_processes 1;
pid DIRECTORY/NAME.pid;
events { worker_connections 8192; }
http {
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_temp_path DIRECTORY/NAME-body;
    proxy_temp_path DIRECTORY/NAME-proxy;
    fastcgi_temp_path DIRECTORY/NAME-fastcgi;
    scgi_temp_path DIRECTORY/NAME-scgi;
    uwsgi_temp_path DIRECTORY/NAME-uwsgi;
"""


def release_program():
    given = os.environ.get("HIVEGATE_PROGRAM")
    if given:
        return given
    path = subprocess.run(
        ["swift", "build", "-c", "release", "--show-bin-path"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    return f"{path}/hivegate"


class Hivegate(Server):
    """`hivegate serve`, with databases of its own or with those of `databases_of`."""

    def __init__(self, name, directory, program, upstream, loops=None, databases_of=None, settings=None):
        self.port = free_port()
        self.data = pathlib.Path(directory, name)
        self.data.mkdir()
        self.data.chmod(0o755)
        self.credentials_of = databases_of or self
        keep = {variable: os.environ[variable] for variable in ("PATH", "HOME", "LANG") if variable in os.environ}
        environment = keep | {
            "PORT": str(self.port),
            "HIVEGATE_DATA": str(self.data),
            "LOG_LEVEL": "warning",
            # All logins come from one address.
            "ADDRESS_REQUESTS_PER_MINUTE": "0",
            "OPENAI_API_KEY": "sk-upstream",
            "OPENAI_BASE_URL": f"{upstream}/v1",
            # Those who ask the same again are not to be answered from memory, unless that is measured.
            "RESPONSE_CACHE": "false",
        }
        if loops:
            environment["HIVEGATE_LOOPS"] = str(loops)
        if databases_of:
            environment |= databases_of.databases()
        environment |= settings or {}
        self.started_at = time.perf_counter()
        super().__init__(name, [program, "serve"], directory, environment)

    def databases(self):
        """What another process needs to share its databases."""
        sockets = self.data / "run"
        return {
            "DATABASE_URL": f"postgresql://hivegate@/hivegate?host={quote(str(sockets), safe='')}",
            "REDIS_URL": f"unix://{sockets}/redis.sock",
            "HIVEGATE_KEY_PEPPERS": (self.data / "key-peppers").read_text().strip(),
            "HIVEGATE_MASTER_KEY_FILE": str(self.data / "master-key"),
        }

    def wait_until_ready(self, pause=0.02):
        self.wait_for(lambda: self.status("/readyz") == 200, f"readiness of {self.name}", pause)
        if self.credentials_of is self:
            self.wait_for((self.data / "credentials.env").exists, "the first key")
        return self

    def status(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    @property
    def credentials(self):
        """Of the organization that comes with the first start, and of its owner, who is the operator."""
        lines = (self.credentials_of.data / "credentials.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def key(self):
        return self.credentials["HIVEGATE_API_KEY"]

    @property
    def measured(self):
        return self.pid


class EventUpstream(Server):
    """The upstream of event streams."""

    def __init__(self, directory):
        self.port = free_port()
        super().__init__("events", [sys.executable, str(HERE / "event_upstream.py"), str(self.port)], directory)
        self.wait_for(lambda: is_listening(self.port), "the start of the upstream of streams")


class Bench:
    """Everything that one run starts, in a directory that goes with it."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="hivegate-bench-", dir="/tmp"))
        self.directory.chmod(0o755)
        self.servers = []
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    def __enter__(self):
        return self

    def start(self, server):
        self.servers.append(server)
        return server

    def __exit__(self, *_):
        for server in reversed(self.servers):
            server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
