"""Requests that nobody has asked before, with a key, limits and, here, money: our CPU, beside gateways that limit in Redis too."""

import json
import os
from statistics import median

import few_requests
from gateways import yardstick
from limited_organization import ENOUGH, LimitedOrganization
from peers import LiteLLM, TensorZero, Upstreams
from processes import Hivegate, Nginx, free_port
from redis_server import CaseWithRedis, Redis, RedisConnection, own_redis
from report import progress
from whole_answers import Case, run_interleaved
from wrk import DistinctRequest, ask_once

UNIT = "µs of CPU"
# TensorZero wants one where tokens are limited.
MOST_TOKENS = 512
KEPT, NOT_KEPT = "answers kept", "no cache"
HIVEGATE, UNGOVERNED, NGINX = "hivegate", "hivegate, ungoverned", "nginx"


def question(model, key, path="/v1/chat/completions", **more):
    body = {"model": model, "max_tokens": MOST_TOKENS, "temperature": 0, "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "NUMBER: How do bees keep their hive warm through the winter?"},
    ]} | more
    headers = (("Content-Type", "application/json"), ("Authorization", f"Bearer {key}"))
    return DistinctRequest(path, "POST", json.dumps(body), headers)


class Governed:
    """Every gateway that is there, with and without keeping answers."""

    def __init__(self, bench, program, upstream_port, owner):
        self.bench, self.cases = bench, {}
        self.upstreams = Upstreams(upstream_port, upstream_port)
        self.start_hivegate(program, owner)
        self.start_without_limits(program, owner)
        self.start_nginx(upstream_port)
        self.start_tensorzero()
        self.start_litellm()

    def start_hivegate(self, program, owner):
        organization = LimitedOrganization(program, owner, "governed", {
            "organization": {"requests_per_minute": ENOUGH, "tokens_per_minute": ENOUGH}})
        organization.add_wallet()
        request = question("openai/gpt-4o-mini", organization.key)
        for way, cache in ((KEPT, "true"), (NOT_KEPT, "false")):
            server = Hivegate(
                f"governed-{cache}", self.bench.directory, program, self.upstreams.whole, loops=1,
                databases_of=owner, settings={"RESPONSE_CACHE": cache, "ENABLE_PRICING": "true", "ENABLE_BUDGET_ENFORCEMENT": "enforce",
                          "ENABLE_BILLING": "true"})
            self.bench.start(server).wait_until_ready()
            fields, _ = ask_once(server.port, request)
            if not fields["x-ratelimit-remaining-tokens"] or (fields["X-Cache"] == "MISS") != (way == KEPT):
                raise SystemExit(f"the request was not governed: {fields}")
            self.add(HIVEGATE, way, server, server.port, request, own_redis(owner))
        organization.check_that_it_paid_for(2)

    def start_without_limits(self, program, owner):
        """What a request costs of which nothing is asked but a key."""
        server = Hivegate(
            "ungoverned", self.bench.directory, program, self.upstreams.whole, loops=1, databases_of=owner,
            settings={"RESPONSE_CACHE": "false"})
        self.bench.start(server).wait_until_ready()
        request = question("openai/gpt-4o-mini", LimitedOrganization(program, owner, "ungoverned", {}).key)
        self.add(UNGOVERNED, NOT_KEPT, server, server.port, request, own_redis(owner))

    def start_nginx(self, upstream_port):
        """Which passes on what comes: how fast the machine is in this hour."""
        port = free_port()
        server = self.bench.start(Nginx(
            "governed-nginx", yardstick(port, free_port(), upstream_port, upstream_port), self.bench.directory))
        self.cases[NGINX, NOT_KEPT] = Case(
            f"governed, {NOT_KEPT}", server, port, question("gpt-4o-mini", "none"))

    def start_tensorzero(self):
        if not TensorZero.version():
            return
        peer, redis = self.start(TensorZero)
        model = peer.model("whole")
        kept = question(model, peer.key, peer.path, **{"tensorzero::cache_options": {"enabled": "on"}})
        self.add(TensorZero.label, KEPT, peer, peer.port, kept, redis.pid)
        self.add(TensorZero.label, NOT_KEPT, peer, peer.port, question(model, peer.key, peer.path), redis.pid)
        self.check(redis, kept, peer, "tensorzero_ratelimit:*", "tensorzero_cache:*")

    def start_litellm(self):
        if not LiteLLM.version():
            return
        peer, redis = self.start(LiteLLM)
        model = peer.model("whole")
        kept = question(model, peer.key)
        self.add(LiteLLM.label, KEPT, peer, peer.port, kept, redis.pid)
        not_kept = question(model, peer.key, cache={"no-cache": True, "no-store": True})
        self.add(LiteLLM.label, NOT_KEPT, peer, peer.port, not_kept, redis.pid)
        self.check(redis, kept, peer, "*:requests", "*:tokens", "*")

    def start(self, kind):
        progress(f"starting {kind.label} with limits")
        redis = self.bench.start(Redis(f"{kind.label}-redis", self.bench.directory, free_port()))
        peer = self.bench.start(kind(self.bench.directory, self.upstreams, redis))
        peer.wait_until_it_answers_to(question(peer.model("whole"), peer.key, peer.path))
        return peer, redis

    def check(self, redis, request, peer, *patterns):
        """That it counts, and keeps, in its Redis."""
        ask_once(peer.port, request)
        few_requests.settle(peer)
        with RedisConnection(redis.path) as connection:
            for pattern in patterns:
                if not connection.ask("KEYS", pattern):
                    raise SystemExit(f"{peer.name} has nothing in Redis that is called {pattern}")

    def add(self, name, way, server, port, request, redis):
        self.cases[name, way] = CaseWithRedis(
            f"governed, {way}", server, port, request, redis=redis)

    def run(self, rounds, seconds):
        for way in (KEPT, NOT_KEPT):
            cases = [case for key, case in self.cases.items() if key[1] == way]
            run_interleaved(cases, self.bench.directory, rounds, seconds)

    def report(self, report):
        for way in (KEPT, NOT_KEPT):
            ours = self.cases[HIVEGATE, way]
            spent = ours.median("microseconds_of_cpu")
            report.bound(f"completion of 1 KB, key, 2 windows, wallet, {way}", spent, UNIT, 80)
            for label, goal in ((TensorZero.label, 0.6), (LiteLLM.label, None)):
                theirs = self.cases.get((label, way))
                if theirs:
                    report.compare(
                        f"  beside {label}", spent, theirs.median("microseconds_of_cpu"), UNIT, goal,
                        beside=label)
                else:
                    report.add(f"  beside {label}", f"{spent:.1f} {UNIT}", f"{label} not installed")
            if way == NOT_KEPT:
                self.report_yardsticks(report)
            others = [
                (label, case) for label in (TensorZero.label, LiteLLM.label) if (case := self.cases.get((label, way)))]
            report.add(
                "  Redis besides", f"{median(ours.of_redis):.1f} {UNIT}",
                ", ".join(f"{label} {median(case.of_redis):.1f} {UNIT}" for label, case in others))
            report.add(
                "  a second", f"{ours.median('requests_a_second'):.0f}",
                ", ".join(f"{label} {case.median('requests_a_second'):.0f}" for label, case in others))

    def report_yardsticks(self, report):
        ungoverned, nginx = (
            self.cases[name, NOT_KEPT].median("microseconds_of_cpu") for name in (UNGOVERNED, NGINX))
        report.compare("  a key and nothing else", ungoverned, nginx, UNIT)


def measure_governed_misses(bench, report, program, upstream_port, owner, quick):
    governed = Governed(bench, program, upstream_port, owner)
    print(f"load before: {os.getloadavg()[0]:.2f}", flush=True)
    governed.run(*((3, 1) if quick else (7, 2)))
    governed.report(report)
