"""Measures Hivegate beside nginx in one interleaved run. Prints medians; asserts nothing.

usage: run.py [--quick] [--only SECTION]…
"""

import argparse
import os
import time
from statistics import median

import cached_hits
import connections
import duplicate_storm
import gateways
import governed_misses
import keys
import logins
import processes
import redis_cpu
import streams
from event_upstream import EVENTS
from processes import Bench, EventUpstream, Hivegate, Nginx, free_port
from report import Report, machine
from whole_answers import LIVE, Case, chat, completion, run_interleaved
from wrk import Request

# The memory is measured in any case: its gateway owns the databases of the others.
SECTIONS = ("start", "requests", "streams", "keys", "logins", "gateways", "redis", "cached", "governed", "storm")
IDLE_CONNECTIONS = 5000


def yardstick(port, stream_port, upstream_port, events_port):
    """nginx as it would stand in Hivegate's place."""
    return f"""
    upstream completions {{ server 127.0.0.1:{upstream_port}; keepalive 64; keepalive_requests 1000000000; }}
    upstream events {{ server 127.0.0.1:{events_port}; keepalive 64; keepalive_requests 1000000000; }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /livez {{ return 200 '{LIVE}'; }}
        location = /v1/chat/completions {{ proxy_pass http://completions; }}
    }}
    server {{
        listen 127.0.0.1:{stream_port} backlog=4096;
        location / {{ proxy_pass http://events; proxy_buffering off; }}
    }}
"""


def provider(port):
    return f"""
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ return 200 '{completion()}'; }}
    }}
"""


def measure_memory(bench, report, program, upstream):
    """With as many loops as a user gets, and databases of its own."""
    server = bench.start(Hivegate("memory", bench.directory, program, upstream)).wait_until_ready()
    time.sleep(1)
    report.bound("memory after the first start", processes.resident_kilobytes(server.pid) / 1024, "MB", 40)
    each = connections.kilobytes_each(server, server.key, IDLE_CONNECTIONS)
    report.bound(f"memory of an idle connection, {IDLE_CONNECTIONS} of them", each, "KB", 10)
    return server


def measure_start(bench, report, program, upstream, quick, owner):
    times, sizes = [], []
    for number in range(3 if quick else 15):
        server = bench.start(
            Hivegate(f"start-{number}", bench.directory, program, upstream, databases_of=owner))
        server.wait_until_ready(pause=0.001)
        times.append((time.perf_counter() - server.started_at) * 1000)
        sizes.append(processes.resident_kilobytes(server.pid) / 1024)
        server.stop()
    report.bound("from start to ready, databases up", median(times), "ms", 300)
    report.bound("memory after a start with databases given", median(sizes), "MB", 40)


def measure_requests(bench, report, nginx, nginx_port, server, quick):
    livez = Request("/livez")
    proxied = chat("openai/gpt-4o-mini", server.key)
    pairs = [
        ("GET /livez", livez, dict(connections=64), 1.2),
        ("GET /livez, one connection", livez, dict(connections=1), None),
        ("GET /livez, 16 pipelined", livez, dict(connections=64, pipeline=16), None),
        ("completion of 1 KB, proxied, key checked", proxied, dict(connections=64), 2.5),
        ("completion of 1 KB, proxied, one connection", proxied, dict(connections=1), None),
    ]
    cases = []
    for name, request, how, _ in pairs:
        cases.append(Case(name, nginx, nginx_port, request, **how))
        cases.append(Case(name, server, server.port, request, **how))
    sandbox = Case("completion by the sandbox", server, server.port, chat("sandbox/echo", server.key))
    run_interleaved([*cases, sandbox], bench.directory, *((3, 1) if quick else (9, 2)))
    for index, (name, _, _, goal) in enumerate(pairs):
        theirs, ours = cases[2 * index], cases[2 * index + 1]
        unit = "µs of CPU"
        report.compare(
            name, ours.median("microseconds_of_cpu"), theirs.median("microseconds_of_cpu"), unit, goal)
    report.add(sandbox.name, f"{sandbox.median('microseconds_of_cpu'):.1f} µs of CPU")
    theirs, ours = cases[6], cases[7]
    report.add(
        "  requests a second, proxied", f"{ours.median('requests_a_second'):.0f}",
        f"nginx {theirs.median('requests_a_second'):.0f}")


def measure_streams(bench, report, nginx, stream_port, events, server, quick):
    key = server.key
    ports = {"direct": events.port, "nginx": stream_port, "hivegate": server.port}
    for model, text in (("burst", "in one burst"), ("pieces", "in 64 writes")):
        results = streams.compare(ports, key, f"openai/{model}", 300 if quick else 1000)
        direct = results["direct"][0]
        added = {
            name: [through - without for through, without in zip(results[name][0], direct)]
            for name in ("hivegate", "nginx")
        }
        for share, goal in ((0.5, None), (0.99, 2)):
            ours, theirs = (streams.quantile(added[name], share) for name in ("hivegate", "nginx"))
            report.add(
                f"{EVENTS} events {text}: time added, p{share * 100:.0f}", f"{ours:.2f} ms",
                f"nginx {theirs:.2f} ms", None, f"≤ {goal} ms" if goal else "",
                ours <= goal if goal else None)
    results = streams.compare(ports, key, "openai/spaced", 3 if quick else 20)
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        ours, theirs, direct = (
            streams.quantile(results[peer][1], share) for peer in ("hivegate", "nginx", "direct"))
        report.add(
            f"events 5 ms apart: delay of each, {name}", f"{ours:.2f} ms",
            f"nginx {theirs:.2f} ms, direct {direct:.2f} ms", None, "< 40 ms" if name == "p99" else "",
            ours < 40 if name == "p99" else None)
    cases = []
    for model in ("burst", "rapid"):
        request = chat(f"openai/{model}", key, stream=True)
        cases.append(Case(model, nginx, stream_port, request, connections=16))
        cases.append(Case(model, server, server.port, request, connections=16))
    run_interleaved(cases, bench.directory, *((3, 1) if quick else (7, 2)))
    for index, text in enumerate(("a burst of 64 events", "64 events, 1 ms apart")):
        theirs, ours = (cases[2 * index + offset].median("microseconds_of_cpu") for offset in (0, 1))
        report.compare(f"{text}, CPU for each event", ours / EVENTS, theirs / EVENTS, "µs of CPU")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short run, for a first look")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="measure this alone")
    arguments = parser.parse_args()
    wanted, quick = arguments.only or SECTIONS, arguments.quick
    program, report = processes.release_program(), Report()
    print(machine(), flush=True)
    with Bench() as bench:
        upstream_port, nginx_port, stream_port = free_port(), free_port(), free_port()
        events = bench.start(EventUpstream(bench.directory))
        bench.start(Nginx("provider", provider(upstream_port), bench.directory))
        nginx = bench.start(
            Nginx("nginx", yardstick(nginx_port, stream_port, upstream_port, events.port), bench.directory))
        upstream = f"http://127.0.0.1:{upstream_port}"
        owner = measure_memory(bench, report, program, upstream)
        if "start" in wanted:
            measure_start(bench, report, program, upstream, quick, owner)
        if "requests" in wanted:
            server = Hivegate("requests", bench.directory, program, upstream, loops=1, databases_of=owner)
            bench.start(server).wait_until_ready()
            measure_requests(bench, report, nginx, nginx_port, server, quick)
        if "streams" in wanted:
            url = f"http://127.0.0.1:{events.port}"
            server = Hivegate("streams", bench.directory, program, url, loops=1, databases_of=owner)
            bench.start(server).wait_until_ready()
            measure_streams(bench, report, nginx, stream_port, events, server, quick)
        if "keys" in wanted:
            server = Hivegate("keys", bench.directory, program, upstream, databases_of=owner)
            bench.start(server).wait_until_ready()
            keys.measure_keys(bench, report, server, quick)
        if "logins" in wanted:
            server = bench.start(Hivegate("logins", bench.directory, program, upstream, loops=2)).wait_until_ready()
            logins.measure_logins(bench, report, server, quick)
        if "gateways" in wanted:
            whole_port = free_port()
            bench.start(Nginx("both-dialects", gateways.provider(whole_port, completion()), bench.directory))
            gateways.measure_gateways(bench, report, program, whole_port, events.port, owner, quick)
        if "redis" in wanted:
            redis_cpu.measure_redis_cpu(bench, report, program, owner, quick)
        if "cached" in wanted:
            cached_hits.measure_cached_hits(bench, report, program, upstream, owner, quick)
        if "governed" in wanted:
            governed_misses.measure_governed_misses(bench, report, program, upstream_port, owner, quick)
        if "storm" in wanted:
            duplicate_storm.measure_duplicate_storm(bench, report, program, owner, quick)
    report.add("the program's size", f"{os.path.getsize(program) / 1e6:.1f} MB")
    report.print()


if __name__ == "__main__":
    main()
