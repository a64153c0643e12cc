"""Money at two gateways with one Redis and one database: never more is spent than there is, whatever becomes of Redis."""

import concurrent.futures
import contextlib
import json
import os
import signal
import time
import uuid

from answering_provider import Provider
from conftest import wait_until
from test_limits import Scene, ask

FULL = os.environ.get("FULL") == "1"
MODEL = "openai/gpt-4o"
# Nano-dollars for a token of this model.
INPUT, OUTPUT = 2_500, 10_000
# The most that an answer may have: it costs about a cent.
LONGEST = 1_000


def cost(usage):
    return usage["prompt_tokens"] * INPUT + usage["completion_tokens"] * OUTPUT


class PaidScene(Scene):
    def __init__(self, resources, provider, count=2, **settings):
        super().__init__(
            resources, count, ENABLE_PRICING="true", OPENAI_API_KEY="sk-instance", OPENAI_BASE_URL=provider.url, **settings)

    def sql(self, statement):
        return self.gateways.databases.psql("hivegate", "-c", statement)

    def grant(self, cap, kind="budget"):
        """Another limit on the organization's money."""
        limit = uuid.uuid4()
        window = "now() - interval '1 hour', now() + interval '1 day'" if kind == "budget" else "NULL, NULL"
        self.sql(
            "INSERT INTO money_limits (id, org_id, kind, subject, cap_nano, window_start, window_end) "
            f"VALUES ('{limit}', '{self.organization}', '{kind}', 'organization', {cap}, {window})")
        # What is known of keys is looked up again.
        time.sleep(6)
        return limit

    def forget(self, limit):
        self.sql(f"DELETE FROM money_grants WHERE limit_id = '{limit}'; DELETE FROM money_limits WHERE id = '{limit}'")

    def given(self, limit):
        """What is granted or settled, and the cap."""
        line = self.sql(f"SELECT granted_nano + settled_nano, cap_nano FROM money_limits WHERE id = '{limit}'")
        return tuple(int(number) for number in line.split("|"))

    def events(self):
        """What the books have of the organization's calls, one for each."""
        lines = self.sql(
            "SELECT sum(cost_nano), string_agg(array_to_string(limit_ids, ','), '') FROM usage_events "
            f"WHERE org_id = '{self.organization}' GROUP BY id")
        return [
            {"cost": int(cost), "limits": set(limits.split(","))}
            for cost, limits in (line.split("|") for line in lines.splitlines())]

    def wait_for_events(self, count):
        wait_until(lambda: len(self.events()) >= count, what="every event in the books")
        assert len(self.events()) == count
        return self.events()


def crowd(scene, key, count, threads=100):
    """The statuses, and what was answered cost."""

    def one(number):
        status, _, text = ask(
            scene.ports[number % 2], key, f"question {number}", model=MODEL, more={"max_tokens": LONGEST})
        document = json.loads(text)
        return status, cost(document["usage"]) if status == 200 else document["error"]["code"]

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(count)))


def spent(results):
    return sum(amount for status, amount in results if status == 200)


def random_usage(number):
    return 40, 1 + number * 7919 % LONGEST


def test_two_hundred_callers_at_two_gateways_do_not_spend_more_than_a_dollar():
    with contextlib.ExitStack() as resources:
        provider = Provider(resources, pause=0.05, usage=random_usage)
        scene = PaidScene(resources, provider)
        key = scene.key()
        for trial in range(20 if FULL else 2):
            before = len(scene.events())
            budget, wallet = scene.grant(1_000_000_000), scene.grant(3_000_000_000, "wallet")
            results = crowd(scene, key, 400, threads=200)
            # Those who were refused because of what others held would come again.
            results += crowd(scene, key, 200, threads=8)
            total = spent(results)
            codes = {amount for status, amount in results if status == 402}
            assert total <= 1_000_000_000, f"trial {trial}: {total}"
            assert {status for status, _ in results} == {200, 402}, results
            assert codes <= {"budget_exceeded", "held_by_inflight"}, codes
            # It was worth asking: most of it is spent, and at the end nothing is held.
            assert total > 900_000_000, f"trial {trial}: {total}"
            for limit in (budget, wallet):
                given, cap = scene.given(limit)
                assert total <= given <= cap
            # Each answer is in the books once, with what it cost and who paid.
            answered = sum(status == 200 for status, _ in results)
            paid = {str(budget), str(wallet)}
            events = [event for event in scene.wait_for_events(before + answered) if event["limits"] == paid]
            assert len(events) == answered
            assert sum(event["cost"] for event in events) == total
            scene.forget(budget), scene.forget(wallet)


def test_what_has_no_price_is_not_asked_and_what_never_fits_is_said_so():
    with contextlib.ExitStack() as resources:
        provider = Provider(resources)
        scene = PaidScene(resources, provider)
        key = scene.key()
        status, _, text = ask(scene.ports[0], key, model="openai/any")
        assert (status, json.loads(text)["error"]["code"]) == (422, "model_unpriced")
        scene.grant(1_000)
        status, _, text = ask(scene.ports[1], key, model=MODEL)
        assert (status, json.loads(text)["error"]["code"]) == (402, "request_exceeds_budget"), text
        assert provider.asked == 0


def test_an_answer_is_as_long_as_can_be_paid():
    with contextlib.ExitStack() as resources:
        provider = Provider(resources)
        scene = PaidScene(resources, provider)
        key = scene.key()
        # Of the 16,384 tokens that the model can answer this pays about 500.
        scene.grant(5_500_000)
        for said in ((), ("max_tokens",), ("max_completion_tokens",), ("max_tokens", "max_completion_tokens")):
            status, fields, text = ask(scene.ports[0], key, model=MODEL, more=dict.fromkeys(said, 9_000))
            assert status == 200, text
            most = int(fields["x-hivegate-max-tokens"])
            assert 256 <= most < 600
            # The provider is told, in the words of the client.
            limits = {name: value for name, value in provider.last.items() if name.startswith("max_")}
            assert limits == dict.fromkeys(said or ("max_completion_tokens",), most)


def test_without_redis_the_database_pays_and_nothing_is_spent_twice():
    with contextlib.ExitStack() as resources:
        provider = Provider(resources, pause=0.02, usage=random_usage)
        scene = PaidScene(resources, provider)
        key = scene.key()
        limit = scene.grant(1_000_000_000)
        results = crowd(scene, key, 60, threads=20)
        assert {status for status, _ in results} == {200}
        redis = scene.redis_process()
        os.kill(redis, signal.SIGSTOP)
        try:
            away = crowd(scene, key, 60, threads=8)
        finally:
            os.kill(redis, signal.SIGCONT)
        assert {status for status, _ in away} <= {200, 402}, away
        assert any(status == 200 for status, _ in away), away
        results += away + crowd(scene, key, 300, threads=50)
        total = spent(results)
        assert total <= 1_000_000_000
        given, cap = scene.given(limit)
        assert total <= given <= cap
        # What Redis was not there to be told it hears.
        answered = sum(status == 200 for status, _ in results)
        assert sum(event["cost"] for event in scene.wait_for_events(answered)) == total
