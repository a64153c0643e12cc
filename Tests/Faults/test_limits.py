"""Limits and answers that are kept, at two gateways with one Redis: exact, and whatever becomes of Redis."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import signal
import threading
import time

from answering_provider import Provider
from conftest import wait_until
from two_gateways import TwoGateways

CHAT = "/v1/chat/completions"
FULL = os.environ.get("FULL") == "1"


class Scene:
    """Two gateways, or more, an organization with its owner's token, and keys."""

    def __init__(self, resources, count=2, **settings):
        self.gateways = TwoGateways(resources, settings=settings, count=count)
        self.ports = [gateway.port for gateway in self.gateways.gateways]
        self.client = self.gateways.clients[0]
        self.token = self.gateways.sign_in()
        listed = self.client.call("GET", "/api/v1/organizations", credential=self.token)[1]
        self.organization = listed["data"][0]["id"]
        # Each gateway knows of the other.
        time.sleep(3)

    def key(self, **limits):
        wanted = {"name": "key", "scopes": ["inference"], "limits": limits}
        status, made = self.client.call("POST", "/api/auth/api-keys", wanted, self.token)
        assert status == 201, made
        return made["key"]

    def limit(self, rules):
        path = f"/api/v1/organizations/{self.organization}/limits"
        status, answer = self.client.call("PUT", path, {"limits": rules}, self.token)
        assert status == 200, answer

    def redis_process(self):
        return int(self.gateways.redis("INFO", "server").split("process_id:")[1].split()[0])


def ask(port, key, content="hello", model="sandbox/echo", more=None, **fields):
    """The status of one completion, its fields and its text. Its request says `more`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        body = {"model": model, "messages": [{"role": "user", "content": content}]} | (more or {})
        connection.request("POST", CHAT, json.dumps(body), {"Authorization": f"Bearer {key}"} | fields)
        answer = connection.getresponse()
        text = answer.read().decode()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text
    finally:
        connection.close()


def crowd(ports, key, count, threads=40):
    """The statuses of as many requests, as much at once as threads, at both gateways in turns."""
    return [status for status, _ in answers_of_crowd(ports, key, count, threads)]


def answers_of_crowd(ports, key, count, threads):
    """Their statuses and fields."""
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda number: ask(ports[number % len(ports)], key)[:2], range(count)))


def test_of_many_callers_at_two_gateways_exactly_as_many_as_the_limit_pass():
    with contextlib.ExitStack() as resources:
        scene = Scene(resources)
        trials, judged = 100 if FULL else 8, 0
        for trial in range(trials):
            limit = 1 + trial * 37 % 150
            key = scene.key(requests_per_day=limit)
            answers = answers_of_crowd(scene.ports, key, 200, threads=200)
            # A machine with too much else to do is as if Redis stood still, and the gateways say so.
            if any("x-hivegate-degraded" in fields for _, fields in answers):
                continue
            judged += 1
            statuses = [status for status, _ in answers]
            assert statuses.count(200) == limit, f"trial {trial}: {statuses.count(200)} of {limit}"
            assert statuses.count(429) == 200 - limit
        assert judged > trials / 2


def test_answers_of_many_callers_never_have_more_tokens_than_the_limit():
    # What an answer has at most, and the tokens of a question: of so short a one five hundred at most are feared.
    longest, prompt, feared = 400, 5, 500
    with contextlib.ExitStack() as resources:
        provider = Provider(resources, pause=0.02, usage=lambda number: (prompt, number * 37 % (longest + 1)))
        scene = Scene(resources, OPENAI_API_KEY="sk-instance", OPENAI_BASE_URL=provider.url)

        def tokens(number):
            """What the answer has; None where there is none."""
            status, _, text = ask(
                scene.ports[number % 2], key, f"question {number}", "openai/any", {"max_tokens": longest})
            assert status in (200, 429), text
            return json.loads(text)["usage"]["total_tokens"] if status == 200 else None

        for trial in range(20 if FULL else 3):
            limit = 20_000 + 777 * trial
            key = scene.key(tokens_per_day=limit)
            with concurrent.futures.ThreadPoolExecutor(100) as pool:
                answers = list(pool.map(tokens, range(400)))
            # Alone, until what is left is too little for an answer of that length. What others had reserved and did not
            # take may be given back a moment after their answers.
            refused = 0
            while refused < 3:
                answers.append(tokens(len(answers)))
                if answers[-1] is None:
                    refused += 1
                    time.sleep(0.1)
            used = sum(answer for answer in answers if answer is not None)
            assert limit - longest - feared < used <= limit, f"trial {trial}: {used} of {limit}"


def test_twenty_who_ask_the_same_at_two_gateways_are_answered_by_one_call():
    with contextlib.ExitStack() as resources:
        provider = Provider(resources, pause=0.5)
        scene = Scene(
            resources, RESPONSE_CACHE="true", OPENAI_API_KEY="sk-instance", OPENAI_BASE_URL=provider.url)
        key = scene.key()
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            asked = [pool.submit(ask, scene.ports[number % 2], key, model="openai/any") for number in range(20)]
            answers = [answer.result() for answer in asked]
        assert {(status, text) for status, _, text in answers} == {(200, answers[0][2])}
        assert provider.asked == 1
        outcomes = [fields["x-cache"] for _, fields, _ in answers]
        assert outcomes.count("MISS") == 1 and outcomes.count("COALESCED") == 19, outcomes
        assert ask(scene.ports[1], key, model="openai/any")[1]["x-cache"] == "HIT"


def test_an_answer_that_is_kept_is_given_as_often_as_the_limit_says_and_never_to_a_key_that_was_revoked():
    with contextlib.ExitStack() as resources:
        provider = Provider(resources)
        scene = Scene(
            resources, RESPONSE_CACHE="true", OPENAI_API_KEY="sk-instance", OPENAI_BASE_URL=provider.url)

        def question(number, key):
            return ask(scene.ports[number % 2], key, model="openai/any", more={"temperature": 0})

        first = scene.key()
        for number in range(8):
            question(number, first)
        for limit in [7, 61, 150]:
            key = scene.key(requests_per_day=limit)
            with concurrent.futures.ThreadPoolExecutor(100) as pool:
                answers = list(pool.map(question, range(200), [key] * 200))
            statuses = [status for status, _, _ in answers]
            assert statuses.count(200) == limit and statuses.count(429) == 200 - limit
            given = [fields["x-cache"] for status, fields, _ in answers if status == 200]
            assert set(given) == {"HIT"}, given
        assert provider.asked == 1
        listed = scene.client.call("GET", "/api/auth/api-keys", credential=scene.token)[1]["data"]
        for made in listed:
            scene.client.call("DELETE", f"/api/auth/api-keys/{made['id']}", credential=scene.token)
        for number in range(2):
            assert question(number, first)[0] == 401


class Watch:
    """Asks at both gateways again and again, and notes how that went."""

    def __init__(self, scene, key, threads=4):
        self.results, self.stopping = [], threading.Event()
        self.threads = [
            threading.Thread(target=self.run, args=(scene.ports[number % 2], key)) for number in range(threads)
        ]
        for thread in self.threads:
            thread.start()

    def run(self, port, key):
        while not self.stopping.is_set():
            start = time.monotonic()
            status, fields, _ = ask(port, key)
            self.results.append((start, time.monotonic() - start, status, fields.get("x-hivegate-degraded")))
            time.sleep(0.005)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)
        return self.results


def recovery(results, back):
    """How long after its return Redis decides again."""
    assert any(start > back and not degraded for start, _, _, degraded in results), "it stays away"
    return min(start for start, _, _, degraded in results if start > back and not degraded) - back


def slowest_in_a_hundred(results, since, until):
    times = sorted(duration for start, duration, _, _ in results if since <= start < until)
    return times[int(len(times) * 0.99)] if times else 0


def test_a_redis_that_stands_still_costs_no_request_and_lets_no_more_through_than_a_tenth():
    with contextlib.ExitStack() as resources:
        scene = Scene(resources)
        limit = 600
        key = scene.key(requests_per_day=limit)
        free = scene.key()
        before = time.monotonic()
        limited, unlimited = Watch(scene, key), Watch(scene, free)
        resources.callback(limited.stop)
        resources.callback(unlimited.stop)
        time.sleep(1)
        process = scene.redis_process()
        stopped = time.monotonic()
        os.kill(process, signal.SIGSTOP)
        resources.callback(os.kill, process, signal.SIGCONT)
        time.sleep(4)
        os.kill(process, signal.SIGCONT)
        back = time.monotonic()
        time.sleep(3)
        limited, unlimited = limited.stop(), unlimited.stop()
        assert {status for _, _, status, _ in limited} <= {200, 429}
        assert {status for _, _, status, _ in unlimited} == {200}
        admitted = sum(status == 200 for _, _, status, _ in limited)
        assert admitted <= limit * 1.1, f"{admitted} of {limit}"
        assert any(degraded == "redis" for _, _, _, degraded in unlimited)
        print(
            f"admitted {admitted} of {limit}; p99 before {slowest_in_a_hundred(unlimited, before, stopped) * 1000:.0f} ms, "
            f"while Redis stood still {slowest_in_a_hundred(unlimited, stopped, back) * 1000:.0f} ms; "
            f"back after {recovery(unlimited, back) * 1000:.0f} ms")


def test_a_redis_that_was_killed_is_in_full_service_soon_after_it_is_back():
    with contextlib.ExitStack() as resources:
        scene = Scene(resources)
        key = scene.key(requests_per_day=1_000_000)
        watch = Watch(scene, key)
        resources.callback(watch.stop)
        time.sleep(1)
        port = scene.gateways.redis_port
        os.kill(scene.redis_process(), signal.SIGKILL)
        time.sleep(2)
        scene.gateways.databases.spawn("redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1")
        wait_until(lambda: "PONG" in scene.gateways.redis("PING", check=False), what="the start of Redis")
        back = time.monotonic()
        time.sleep(3)
        results = watch.stop()
        assert {status for _, _, status, _ in results} == {200}
        assert any(degraded for _, _, _, degraded in results)
        print(f"back after {recovery(results, back) * 1000:.0f} ms")


def test_a_redis_that_is_emptied_lets_one_more_window_through_at_most():
    with contextlib.ExitStack() as resources:
        scene = Scene(resources)
        limit = 200
        key = scene.key(requests_per_day=limit)
        watch = Watch(scene, key)
        resources.callback(watch.stop)
        time.sleep(0.5)
        assert scene.gateways.redis("FLUSHALL") == "OK"
        time.sleep(4)
        results = watch.stop()
        assert {status for _, _, status, _ in results} == {200, 429}
        assert limit <= sum(status == 200 for _, _, status, _ in results) <= 2 * limit


def test_two_organizations_never_share_an_answer():
    with contextlib.ExitStack() as resources:
        provider = Provider(resources)
        scene = Scene(
            resources, RESPONSE_CACHE="true", OPENAI_API_KEY="sk-instance", OPENAI_BASE_URL=provider.url)
        key = scene.key()
        other = scene.gateways.make_organization(scene.gateways.environment, "Other", "eve@other.example")
        status, session = scene.client.call("POST", "/api/auth/login", other)
        assert status == 200
        wanted = {"name": "key", "scopes": ["inference"]}
        theirs = scene.client.call("POST", "/api/auth/api-keys", wanted, session["access_token"])[1]["key"]
        first = ask(scene.ports[0], key, model="openai/any")
        second = ask(scene.ports[0], theirs, model="openai/any")
        assert provider.asked == 2
        assert first[2] != second[2] and second[1]["x-cache"] == "MISS"
