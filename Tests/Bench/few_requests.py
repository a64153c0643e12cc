"""A fixed number of requests, for servers so slow that what a round of wrk leaves unfinished would count."""

import http.client
import time
from concurrent.futures import ThreadPoolExecutor

from processes import wait_until
from wrk import Sample

RESTS = 0.1


def settle(server):
    """Waits until it spends next to nothing."""
    spent = [server.cpu_seconds()]

    def rests():
        spent.append(server.cpu_seconds())
        return spent[-1] - spent[-2] < RESTS / 5

    wait_until(rests, f"rest of {server.name}", pause=RESTS)


def measure(server, port, request, connections, each):
    """`each` requests over each of `connections`, and the server's CPU time for all of them, to the end."""
    before, start = server.cpu_seconds(), time.perf_counter()
    with ThreadPoolExecutor(connections) as callers:
        waits = sorted(sum(callers.map(lambda _: ask(server, port, request, each), range(connections)), []))
    seconds = time.perf_counter() - start
    settle(server)
    return Sample(
        microseconds_of_cpu=(server.cpu_seconds() - before) * 1e6 / len(waits), requests=len(waits),
        requests_a_second=len(waits) / seconds, p50=waits[len(waits) // 2], p99=waits[int(len(waits) * 0.99)])


def ask(server, port, request, count):
    """Microseconds that each took."""
    connection, waits = http.client.HTTPConnection("127.0.0.1", port, timeout=120), []
    for _ in range(count):
        start = time.perf_counter()
        connection.request(request.method, request.path, request.next_body(), dict(request.headers))
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{server.name} refused: {text!r}")
        waits.append((time.perf_counter() - start) * 1e6)
    connection.close()
    return waits
