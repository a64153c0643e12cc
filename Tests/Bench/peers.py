"""Other gateways, each with one worker and its log off, out of an environment of their own."""

import json
import os
import pathlib
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import replace

from processes import HERE, ROOT, Server, cpu_seconds_of_all, free_port
from whole_answers import chat

# A peer's programs live in an environment of their own: what they need is none of ours.
PROGRAMS = ROOT / ".venv" / "gateways" / "bin"
UPSTREAM_KEY = "sk-upstream"
MODELS = ("whole", "burst", "pieces", "rapid", "early")
# Anthropic wants one, and not every gateway knows one to say.
LIMITS = {"openai": None, "anthropic": 512}
START_LIMIT = 180
# So much that nothing is refused.
LIMITS_OF_TENSORZERO = """
cache.backend = "valkey"
[rate_limiting]
enabled = true
backend = "valkey"
[[rate_limiting.rules]]
priority = 0
model_inferences_per_minute = 1000000000
tokens_per_minute = 100000000000
"""
VERSIONS = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"


class Upstreams:
    """Where the answers come from: whole ones from nginx, events from `event_upstream.py`, of both dialects."""

    def __init__(self, whole, events):
        self.whole = f"http://127.0.0.1:{whole}"
        self.events = f"http://127.0.0.1:{events}"

    def of(self, model):
        return self.whole if model == "whole" else self.events


class Peer(Server):
    """Another gateway: what it costs is its own processes' time."""

    package = ""
    path = "/v1/chat/completions"
    key = "sk-bench"
    is_slow = False

    def __init__(self, label, directory, command, settings):
        kept = {variable: os.environ[variable] for variable in ("PATH", "HOME", "LANG") if variable in os.environ}
        self.port = None
        # A runtime in Rust gets one thread for its work, as Hivegate gets one loop and nginx one worker.
        environment = kept | {"TOKIO_WORKER_THREADS": "1"} | settings
        super().__init__(label, list(map(str, command)), directory, environment)

    @classmethod
    def version(cls):
        """Its version, or nothing where it is not installed."""
        try:
            done = subprocess.run(
                [PROGRAMS / "python", "-c", VERSIONS, cls.package], capture_output=True, text=True)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    def cpu_seconds(self):
        return cpu_seconds_of_all(self.pid)

    def model(self, name, dialect="openai"):
        """What it calls a model of an upstream."""
        raise NotImplementedError

    def request(self, name, dialect="openai"):
        limit = LIMITS[dialect]
        return replace(chat(self.model(name, dialect), self.key, name != "whole", limit), path=self.path)

    def wait_until_it_answers(self, *models):
        for model in models:
            self.wait_until_it_answers_to(self.request(model))
        return self

    def wait_until_it_answers_to(self, request):
        deadline = time.monotonic() + START_LIMIT
        self.wait_for(lambda: self.answers(request) or time.monotonic() > deadline, f"the start of {self.name}")

    def answers(self, request):
        try:
            asked = urllib.request.Request(
                f"http://127.0.0.1:{self.port}{request.path}", request.next_body().encode(), dict(request.headers))
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return bool(answer.read())
        except (OSError, urllib.error.URLError):
            return False


class SGLangRouter(Peer):
    """A bare router in Rust: it checks no key and knows one upstream, so that there is one for each."""

    label = "sglang-router"
    package = "sglang-router"
    speaks = ("openai",)

    def __init__(self, directory, upstream, name):
        port = free_port()
        command = [
            PROGRAMS / "python", "-m", "sglang_router.launch_router", "--host", "127.0.0.1", "--port", port,
            "--worker-urls", upstream, "--policy", "round_robin", "--disable-health-check",
            "--prometheus-port", free_port(), "--log-level", "error",
        ]
        super().__init__(f"{self.label}-{name}", directory, command, {})
        self.port = port

    def model(self, name, dialect="openai"):
        return name


class TensorZero(Peer):
    """The gateway in Rust inside of TensorZero's Python package, without a database; it checks no key."""

    label = "TensorZero"
    package = "tensorzero"
    path = "/openai/v1/chat/completions"
    speaks = ("openai", "anthropic")

    def __init__(self, directory, upstreams, redis=None):
        """With a `redis` it limits requests and tokens in it, and keeps answers there if a request says so."""
        name = f"{self.label}-limits" if redis else self.label
        configuration = pathlib.Path(directory, f"{name}.toml")
        configuration.write_text(self.configuration(upstreams, redis))
        command = [PROGRAMS / "python", HERE / "tensorzero_gateway.py", configuration]
        super().__init__(
            name, directory, command + ([f"redis://127.0.0.1:{redis.port}"] if redis else []),
            {"UPSTREAM_KEY": UPSTREAM_KEY, "TENSORZERO_DISABLE_PSEUDONYMOUS_USAGE_ANALYTICS": "1", "RUST_LOG": "error"})
        log = self.directory / f"{self.name}.log"
        self.wait_for(lambda: "PORT " in log.read_text(errors="replace"), f"the start of {self.name}")
        self.port = int(log.read_text(errors="replace").split("PORT ", 1)[1].split()[0])

    def configuration(self, upstreams, redis):
        parts = ["[gateway]\nobservability.enabled = false\n"]
        if redis:
            parts.append(LIMITS_OF_TENSORZERO)
        for dialect in self.speaks:
            for model in MODELS:
                parts.append(f"""
[models.{dialect}_{model}]
routing = ["upstream"]
[models.{dialect}_{model}.providers.upstream]
type = "{dialect}"
model_name = "{model}"
api_base = "{upstreams.of(model)}/v1"
api_key_location = "env::UPSTREAM_KEY"
""")
        return "".join(parts)

    def model(self, name, dialect="openai"):
        return f"tensorzero::model_name::{dialect}_{name}"


class LiteLLM(Peer):
    """LiteLLM's proxy, without a database; it checks a master key."""

    label = "LiteLLM"
    # Some hundred requests a second: each caller sends as many as this, and no clock ends a round.
    is_slow = True
    each = 2
    package = "litellm"
    speaks = ("openai", "anthropic")

    def __init__(self, directory, upstreams, redis=None):
        """With a `redis` it limits requests and tokens of its key in it, and keeps answers there."""
        name = f"{self.label}-limits" if redis else self.label
        configuration = pathlib.Path(directory, f"{name}.yaml")
        configuration.write_text(json.dumps(self.configuration(upstreams, redis)))
        if redis:
            shutil.copy(HERE / "litellm_key.py", directory)
        port = free_port()
        command = [
            PROGRAMS / "litellm", "--config", configuration, "--host", "127.0.0.1", "--port", port,
            "--num_workers", "1", "--telemetry", "False",
        ]
        super().__init__(
            name, directory, command,
            {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "DISABLE_ADMIN_UI": "True"})
        self.port = port

    def configuration(self, upstreams, redis):
        """JSON, which YAML includes."""
        models = []
        for dialect, path in (("openai", "/v1"), ("anthropic", "")):
            for model in MODELS:
                models.append({
                    "model_name": self.model(model, dialect),
                    "litellm_params": {
                        "model": f"{dialect}/{model}", "api_base": upstreams.of(model) + path, "api_key": UPSTREAM_KEY,
                    },
                })
        if not redis:
            return {"model_list": models, "general_settings": {"master_key": self.key}}
        place = {"type": "redis", "host": "127.0.0.1", "port": redis.port}
        return {
            "model_list": models, "litellm_settings": {"cache": True, "cache_params": place},
            "general_settings": {"master_key": self.key, "custom_auth": "litellm_key.check"},
        }

    def model(self, name, dialect="openai"):
        return f"{dialect}-{name}"


PEERS = (SGLangRouter, TensorZero, LiteLLM)
