"""Logins: whether their time tells who has an account, and what others notice of a storm of them.

usage: logins.py PORT SECONDS    (a storm, as a process of its own)
"""

import asyncio
import http.client
import json
import random
import subprocess
import sys
import time
from collections import Counter
from statistics import median

from wrk import ask_with_known_key

PASSWORD = "correct horse battery"
LOGINS_A_SECOND = 200
ACCOUNTS = 5000


def login_request(email, password):
    """From an address of its own: behind one there may be an attacker."""
    address = f"198.18.{random.randrange(256)}.{random.randrange(256)}"
    body = json.dumps({"email": email} | ({"password": password} if password else {}))
    return body, {"Content-Type": "application/json", "X-Forwarded-For": address}


def account(number):
    return f"user-{number}@example.com"


def make_accounts(server):
    """One through the API, the others as copies of it, so that this takes no hashing."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", "/api/auth/register", *login_request(account(0), PASSWORD))
    answer = connection.getresponse()
    if answer.status != 202:
        raise SystemExit(f"no account can be made: {answer.status} {answer.read().decode()}")
    script = f"""
        WITH model AS (SELECT * FROM users WHERE email = '{account(0)}'),
        made AS (
            INSERT INTO users (id, email, password_hash, email_verified_at)
            SELECT gen_random_uuid(), 'user-' || number || '@example.com', password_hash, now()
            FROM model, generate_series(1, {ACCOUNTS - 1}) AS number RETURNING id)
        INSERT INTO memberships (org_id, user_id, role)
        SELECT (SELECT org_id FROM memberships JOIN model ON user_id = id), id, 'member' FROM made
    """
    subprocess.run(
        ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-h", str(server.data / "run"), "-U", "hivegate", "-d", "hivegate",
         "-c", script, "-c", "ANALYZE"], check=True)


# Who has an account ---------------------------------------------------------------------------------------------------


def milliseconds(connection, path, request, expected):
    start = time.perf_counter()
    connection.request("POST", path, *request)
    answer = connection.getresponse()
    answer.read()
    if answer.status != expected:
        raise SystemExit(f"{path} gets {answer.status} instead of {expected}")
    return (time.perf_counter() - start) * 1000


def measure_enumeration(report, server, quick):
    for what, path, password, status in (
            ("a login that fails", "/api/auth/login", "a wrong password", 401),
            ("a new password asked for", "/api/auth/password/forgot", None, 202),
            ("a sign-up", "/api/auth/register", PASSWORD, 202)):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        times = {"known": [], "unknown": []}
        # Each address once or twice: after a few failures one has to wait.
        for number in range(100 if quick else 400):
            kinds = ["known", "unknown"]
            random.shuffle(kinds)
            for kind in kinds:
                email = account(number) if kind == "known" else f"nobody-{time.time_ns()}@example.com"
                times[kind].append(milliseconds(connection, path, login_request(email, password), status))
        known, unknown = (median(times[kind]) for kind in ("known", "unknown"))
        ratio = unknown / known
        report.add(
            f"{what}: nobody has the address", f"{unknown:.2f} ms", f"somebody has {known:.2f} ms", ratio,
            "0.95 … 1.05", 0.95 <= ratio <= 1.05)


# A storm --------------------------------------------------------------------------------------------------------------


class Storm:
    """Logins at a constant rate, however long each takes."""

    def __init__(self, port):
        self.port = port
        self.idle = []
        self.outcomes = Counter()
        self.without_advice = 0

    async def run(self, seconds):
        start, tasks = time.perf_counter(), set()
        for number in range(int(seconds * LOGINS_A_SECOND)):
            await asyncio.sleep(max(0, start + number / LOGINS_A_SECOND - time.perf_counter()))
            task = asyncio.create_task(self.log_in(account(random.randrange(ACCOUNTS))))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    async def log_in(self, email):
        reader, writer = self.idle.pop() if self.idle else await asyncio.open_connection("127.0.0.1", self.port)
        body, fields = login_request(email, PASSWORD)
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        head = f"POST /api/auth/login HTTP/1.1\r\nHost: gateway\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        writer.write((head + body).encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
        status = int(head.split(" ")[1])
        self.outcomes[status] += 1
        self.without_advice += status == 429 and "retry-after: " not in head
        self.idle.append((reader, writer))


def measure_storm(bench, report, server, quick):
    rounds, seconds = (3, 4) if quick else (5, 10)
    ask_with_known_key(server, bench.directory, 1)
    quiet, stormy, outcomes, without_advice = [], [], Counter(), 0
    for number in range(rounds):
        for is_storm in (False, True) if number % 2 == 0 else (True, False):
            if not is_storm:
                quiet.append(ask_with_known_key(server, bench.directory, seconds))
                continue
            storm = subprocess.Popen(
                [sys.executable, __file__, str(server.port), str(seconds + 1)], stdout=subprocess.PIPE, text=True)
            time.sleep(1)
            stormy.append(ask_with_known_key(server, bench.directory, seconds))
            result = json.loads(storm.communicate()[0])
            outcomes.update({int(status): count for status, count in result["outcomes"].items()})
            without_advice += result["without_advice"]
            time.sleep(1)
    if set(outcomes) - {200, 429} or without_advice:
        raise SystemExit(f"logins ended with {outcomes}; {without_advice} times 429 without Retry-After")
    offered = rounds * (seconds + 1)
    report.add(
        f"{LOGINS_A_SECOND} logins a second", f"{outcomes[200] / offered:.0f} in",
        f"{outcomes[429] / offered:.0f} told to come again")
    report.add("  completions a second beside them", f"{median(r['requests'] for r in stormy) / seconds:.0f}")
    for name, goal in (("p50", None), ("p99", 1.5)):
        before, during = (median(result[name] for result in results) / 1000 for results in (quiet, stormy))
        ratios = [after[name] / first[name] for first, after in zip(quiet, stormy)]
        report.add(
            f"known keys during them, {name}", f"{during:.2f} ms", f"without {before:.2f} ms", median(ratios),
            f"≤ {goal}" if goal else "", median(ratios) <= goal if goal else None)


def measure_logins(bench, report, server, quick):
    make_accounts(server)
    measure_enumeration(report, server, quick)
    measure_storm(bench, report, server, quick)


if __name__ == "__main__":
    storm = Storm(int(sys.argv[1]))
    asyncio.run(storm.run(float(sys.argv[2])))
    print(json.dumps({"outcomes": storm.outcomes, "without_advice": storm.without_advice}))
