"""Redis and PostgreSQL die under load and come back."""

import os
import signal
import socket
import subprocess
import time

import pytest

from load import Load, ask, unknown_key


@pytest.fixture
def running(make_gateway):
    return make_gateway().start()


def wait_for(condition, limit, what):
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if condition():
            return time.monotonic()
        time.sleep(0.01)
    raise AssertionError(f"{what} did not happen within {limit} s")


def accepts(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def postgres_answers(gateway):
    found = subprocess.run(
        ["psql", "-h", f"{gateway.data}/run", "-U", "hivegate", "-d", "hivegate", "-Atc", "SELECT 1"],
        capture_output=True,
    )
    return found.returncode == 0


def test_redis_is_killed_under_load_and_the_gateway_is_back_within_a_second(running):
    load = Load(running.port, running.key)
    wait_for(lambda: running.metric("hivegate_redis_up") == os.cpu_count(), 10, "the connections to Redis")
    for _ in range(3):
        before = running.children()["redis-server"]
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: running.children().get("redis-server", before) != before, 10, "the restart")
        back = wait_for(lambda: accepts(f"{running.data}/run/redis.sock"), 10, "the return of Redis")
        ready = wait_for(lambda: running.metric("hivegate_redis_up") == os.cpu_count(), 10, "the reconnection")
        # The gateway's own view is refreshed every quarter of a second.
        assert ready - back < 1 + 0.25
    results = load.stop()
    assert {status for _, _, status in results} == {200}
    assert max(duration for _, duration, _ in results) < 5
    assert running.process.poll() is None


def test_postgres_is_killed_under_load_and_the_gateway_is_back_within_two_seconds(running):
    known = Load(running.port, running.key)
    unknown = Load(running.port, unknown_key, threads=2)
    time.sleep(0.5)
    for _ in range(2):
        before = running.children()["postgres"]
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: running.children().get("postgres", before) != before, 10, "the restart")
        back = wait_for(lambda: postgres_answers(running), 30, "the return of PostgreSQL")
        ready = wait_for(lambda: ask(running.port, unknown_key()) == 401, 10, "an answer from the database")
        assert ready - back < 2
    # Known keys went on as if nothing had happened; unknown ones were told to come back.
    served = known.stop()
    refused = unknown.stop()
    assert {status for _, _, status in served} == {200}
    failures = [line for line in running.output().splitlines() if "internal_error" in line]
    # This many of them are too many: see UnknownKeyGate.
    assert {status for _, _, status in refused} <= {401, 429, 503}, failures
    assert 503 in {status for _, _, status in refused}, "the outage was not noticed"
    assert max(duration for _, duration, _ in served + refused) < 10
    assert running.process.poll() is None


def test_redis_that_hangs_does_not_hang_the_gateway(running):
    pid = running.children()["redis-server"]
    os.kill(pid, signal.SIGSTOP)
    try:
        load = Load(running.port, running.key)
        time.sleep(1)
        results = load.stop()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert {status for _, _, status in results} == {200}
    wait_for(lambda: running.metric("hivegate_redis_up") == os.cpu_count(), 10, "the reconnection")


def test_postgres_that_hangs_delays_only_those_who_need_it(running):
    assert ask(running.port, running.key) == 200
    pids = [running.children()["postgres"]]
    children = subprocess.run(["pgrep", "-P", str(pids[0])], capture_output=True, text=True).stdout.split()
    pids += [int(pid) for pid in children]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        assert ask(running.port, running.key) == 200
        assert time.monotonic() - started < 5
        assert running.status("/livez") == 200
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    wait_for(lambda: ask(running.port, unknown_key()) == 401, 40, "an answer from the database")
