"""Other gateways, doing the same in the same run: CPU for each request and each stream, and what the first event waits."""

import json
from statistics import median

import streams
from event_upstream import EVENTS
from processes import ROOT, Server, free_port, is_listening
from whole_answers import Case, chat, run_interleaved
from wrk import Request

# A peer's programs live in an environment of their own: what they need is none of ours.
PROGRAMS = ROOT / ".venv" / "gateways" / "bin"


class SGLangRouter(Server):
    """A bare router in Rust: it checks no key, and knows one upstream."""

    def __init__(self, name, directory, upstream):
        self.port = free_port()
        command = [
            str(PROGRAMS / "python"), "-m", "sglang_router.launch_router", "--host", "127.0.0.1",
            "--port", str(self.port), "--worker-urls", upstream, "--policy", "round_robin",
            "--prometheus-port", str(free_port()), "--log-level", "error", "--disable-health-check",
        ]
        super().__init__(name, command, directory)
        self.wait_for(lambda: is_listening(self.port), f"the start of {name}")

    @property
    def measured(self):
        return self.pid
