"""Other gateways, doing the same in the same run: CPU for each request and stream, the wait for the first token."""

import os
import time
from dataclasses import dataclass, field
from statistics import median

import few_requests
import first_tokens
import streams
from peers import LIMITS, PEERS, UPSTREAM_KEY, LiteLLM, SGLangRouter, TensorZero, Upstreams
from processes import Hivegate, Nginx, cpu_seconds_of_all, free_port
from report import progress
from whole_answers import Case, chat, message, run_interleaved

# A model of the upstreams, what the row says, and how many connections ask.
PASSED = (
    ("whole", "completion of 1 KB, key checked", 64),
    ("burst", "stream, one burst", 16),
    ("pieces", "stream, one write each", 16),
    ("rapid", "stream, 1 ms apart", 16),
)
ROUTER = SGLangRouter.label
OTHERS = ("nginx", TensorZero.label, LiteLLM.label)
UNIT = "µs of CPU"


def yardstick(whole_port, stream_port, upstream_port, events_port):
    return f"""
    upstream completions {{ server 127.0.0.1:{upstream_port}; keepalive 64; keepalive_requests 1000000000; }}
    upstream events {{ server 127.0.0.1:{events_port}; keepalive 64; keepalive_requests 1000000000; }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    server {{ listen 127.0.0.1:{whole_port} backlog=4096; location / {{ proxy_pass http://completions; }} }}
    server {{
        listen 127.0.0.1:{stream_port} backlog=4096;
        location / {{ proxy_pass http://events; proxy_buffering off; }}
    }}
"""


def provider(port, completion):
    """Whole answers in both dialects."""
    return f"""
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /v1/messages {{ return 200 '{message()}'; }}
        location / {{ return 200 '{completion}'; }}
    }}
"""


@dataclass
class Way:
    """How one gateway is asked for one kind of answer."""

    server: object
    port: int
    request: object


@dataclass
class GatewayCase(Case):
    """A case that also counts what Hivegate's databases spend, and leaves nobody unfinished work to the next one."""

    databases: object = None
    of_databases: list[float] = field(default_factory=list)

    def run(self, directory, seconds):
        if getattr(self.server, "is_slow", False):
            each = self.server.each
            self.samples.append(few_requests.measure(self.server, self.port, self.request, self.connections, each))
            return
        before = cpu_of_databases(self.databases) if self.databases else 0
        super().run(directory, seconds)
        if self.databases:
            spent = cpu_of_databases(self.databases) - before
            self.of_databases.append(spent * 1e6 / self.samples[-1].requests)
        few_requests.settle(self.server)

    def forget(self):
        super().forget()
        self.of_databases.clear()


def cpu_of_databases(owner):
    """Of PostgreSQL and Redis, which the process `owner` has started."""
    return cpu_seconds_of_all(owner.pid) - owner.cpu_seconds()


class Gateways:
    """Every gateway that is there, and how it is asked."""

    def __init__(self, bench, program, upstreams, owner):
        self.bench, self.upstreams, self.ways = bench, upstreams, {}
        self.versions = {peer.label: peer.version() for peer in PEERS}
        self.start_hivegate(program, owner)
        self.start_nginx()
        self.start_peers()

    def start_hivegate(self, program, owner):
        for name in ("whole", "events"):
            url = getattr(self.upstreams, name)
            server = Hivegate(
                f"gateways-{name}", self.bench.directory, program, url, loops=1, databases_of=owner,
                settings={"ANTHROPIC_API_KEY": UPSTREAM_KEY, "ANTHROPIC_BASE_URL": url})
            self.bench.start(server).wait_until_ready()
            for dialect in ("openai", "anthropic"):
                for model in ("whole",) if name == "whole" else ("burst", "pieces", "rapid", "early"):
                    request = chat(f"{dialect}/{model}", server.key, name == "events", LIMITS[dialect])
                    self.ways["hivegate", dialect, model] = Way(server, server.port, request)

    def start_nginx(self):
        ports = {"whole": free_port(), "events": free_port()}
        upstream_port, events_port = (url.rsplit(":", 1)[1] for url in (self.upstreams.whole, self.upstreams.events))
        server = self.bench.start(
            Nginx("yardstick", yardstick(*ports.values(), upstream_port, events_port), self.bench.directory))
        for model in ("whole", "burst", "pieces", "rapid", "early"):
            port = ports["whole" if model == "whole" else "events"]
            self.ways["nginx", "openai", model] = Way(server, port, chat(model, UPSTREAM_KEY, stream=model != "whole"))

    def start_peers(self):
        directory = self.bench.directory
        if self.versions[ROUTER]:
            for name, models in (("whole", ("whole",)), ("events", ("burst", "pieces", "rapid", "early"))):
                progress(f"starting {ROUTER}")
                self.add(SGLangRouter(directory, getattr(self.upstreams, name), name), models)
        for peer in (TensorZero, LiteLLM):
            if self.versions[peer.label]:
                progress(f"starting {peer.label}")
                self.add(peer(directory, self.upstreams), ("whole", "burst", "pieces", "rapid", "early"))

    def add(self, peer, models):
        self.bench.start(peer).wait_until_it_answers(models[0])
        for dialect in peer.speaks:
            for model in models:
                self.ways[peer.label, dialect, model] = Way(peer, peer.port, peer.request(model, dialect))


class Measurement:
    """The CPU of every gateway for every kind of answer."""

    def __init__(self, gateways, owner):
        self.gateways, self.cases = gateways, {}
        for model, text, connections in PASSED:
            for name in ("hivegate", ROUTER, *OTHERS):
                for dialect in ("openai", "anthropic"):
                    way = gateways.ways.get((name, dialect, model))
                    if way:
                        self.cases[name, dialect, model] = GatewayCase(
                            text, way.server, way.port, way.request, connections,
                            databases=owner if name == "hivegate" else None)

    def run(self, rounds, seconds):
        for model, _, _ in PASSED:
            cases = [case for key, case in self.cases.items() if key[2] == model]
            run_interleaved(cases, self.gateways.bench.directory, rounds, seconds)

    def cpu(self, name, model, dialect="openai"):
        case = self.cases.get((name, dialect, model))
        return case.median("microseconds_of_cpu") if case else None

    def report(self, report):
        for model, text, connections in PASSED:
            what = f"{text}, {connections} connections"
            self.report_beside(report, what, "openai", model, ROUTER, 1.0)
            for other in OTHERS:
                self.report_beside(report, f"  beside {other}", "openai", model, other)
            ours = self.cases["hivegate", "openai", model]
            report.add("  our PostgreSQL and Redis besides", f"{median(ours.of_databases):.1f} {UNIT}")
            rates = ", ".join(
                f"{name} {case.median('requests_a_second'):.0f}"
                for name in (ROUTER, *OTHERS) if (case := self.cases.get((name, "openai", model))))
            report.add("  a second", f"{ours.median('requests_a_second'):.0f}", rates)
        for model, text, _ in PASSED:
            text = text.replace(", key checked", "")
            ours, passed = self.cpu("hivegate", model, "anthropic"), self.cpu("hivegate", model)
            report.compare(f"OpenAI in, Anthropic out: {text}", ours, passed, UNIT, 1.5, beside="passed through")
            for other in (TensorZero.label, LiteLLM.label):
                self.report_beside(report, f"  beside {other}", "anthropic", model, other)

    def report_beside(self, report, what, dialect, model, beside, goal=None):
        ours, theirs = self.cpu("hivegate", model, dialect), self.cpu(beside, model, dialect)
        if theirs is None:
            goal_text = f"≤ {goal}" if goal else ""
            report.add(what, f"{ours:.1f} {UNIT}", f"{beside} not installed", goal=goal_text)
        else:
            report.compare(what, ours, theirs, UNIT, goal, beside=beside)


def measure_first_tokens(report, gateways, events_port, count):
    ports = {"direct": (events_port, chat("early", UPSTREAM_KEY, stream=True))}
    for name in ("hivegate", "nginx", ROUTER, TensorZero.label, LiteLLM.label):
        way = gateways.ways.get((name, "openai", "early"))
        if way:
            ports[name] = (way.port, way.request)
    added = first_tokens.added(ports, count)
    for share, goal in ((0.5, None), (0.99, 1)):
        figures = {name: streams.quantile(values, share) for name, values in added.items()}
        ours = figures.pop("hivegate")
        theirs = [
            f"{name} {figures[name]:.2f} ms" if name in figures else f"{name} not installed"
            for name in (ROUTER, *OTHERS)
        ]
        report.add(
            f"first token, one caller: time added, p{share * 100:.0f}", f"{ours:.2f} ms", ", ".join(theirs), None,
            f"≤ {goal} ms" if goal else "", ours <= goal if goal else None)


def measure_delays(report, gateways, events_port, count):
    """Of those that pass events on as they are: who gathers them has less to do, and its callers wait."""
    ports = {"direct": events_port}
    for name in ("hivegate", ROUTER, "nginx"):
        way = gateways.ways.get((name, "openai", "rapid"))
        if way:
            ports[name] = way.port
    key = gateways.ways["hivegate", "openai", "rapid"].server.key
    results = streams.compare(ports, key, "openai/rapid", count)
    for share in (0.5, 0.99):
        figures = {name: streams.quantile(delays, share) for name, (_, delays) in results.items()}
        ours = figures.pop("hivegate")
        report.add(
            f"events 1 ms apart, one caller: delay of each, p{share * 100:.0f}", f"{ours:.2f} ms",
            ", ".join(f"{name} {figures[name]:.2f} ms" for name in (ROUTER, "nginx", "direct") if name in figures))


def measure_gateways(bench, report, program, whole_port, events_port, owner, quick):
    gateways = Gateways(bench, program, Upstreams(whole_port, events_port), owner)
    versions = [f"{name} {version or 'not installed'}" for name, version in gateways.versions.items()]
    print(", ".join(versions) + f"; load before: {os.getloadavg()[0]:.2f}", flush=True)
    time.sleep(1)
    measure_first_tokens(report, gateways, events_port, 200 if quick else 1000)
    measure_delays(report, gateways, events_port, 20 if quick else 100)
    measurement = Measurement(gateways, owner)
    measurement.run(*((3, 1) if quick else (3, 2)))
    measurement.report(report)
