"""Money at two gateways with one Redis and one database: never more is spent than there is, whatever becomes of Redis."""

import concurrent.futures
import contextlib
import json
import os
import signal
import threading
import time
import uuid

from answering_provider import Provider
from conftest import wait_until
from test_limits import Scene, ask

FULL = os.environ.get("FULL") == "1"
MODEL = "openai/gpt-4o"
DOLLAR = 1_000_000_000
# Nano-dollars for a token of this model.
INPUT, OUTPUT = 2_500, 10_000
# The most that an answer may have: it costs about a cent.
LONGEST = 1_000


def cost(usage):
    return usage["prompt_tokens"] * INPUT + usage["completion_tokens"] * OUTPUT


class PaidScene(Scene):
    def __init__(self, resources, provider, count=2, **settings):
        super().__init__(
            resources, count, OPENAI_API_KEY="sk-instance", OPENAI_BASE_URL=provider.url,
            **{"ENABLE_PRICING": "true", "ENABLE_BUDGET_ENFORCEMENT": "enforce", "ENABLE_BILLING": "true"} | settings)
        # Nothing is taken on top of what requests cost, so that it can be reckoned, and no plan limits them.
        self.sql(
            "SET app.system = 'on'; UPDATE organizations SET plan = NULL, commission_points = 0, commission_mode = 'markup' "
            f"WHERE id = '{self.organization}'")

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


def check_then_act(scene, key, count, threads, cap):
    """What a crowd spends whose gate looks at what is spent, asks, and adds up afterwards."""
    total, lock = 0, threading.Lock()

    def one(number):
        nonlocal total
        if total + 40 * INPUT + LONGEST * OUTPUT > cap:
            return
        _, _, text = ask(scene.ports[number % 2], key, f"question {number}", model=MODEL, more={"max_tokens": LONGEST})
        with lock:
            total += cost(json.loads(text)["usage"])

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(count)))
    return total


def spent(results):
    return sum(amount for status, amount in results if status == 200)


def random_usage(number):
    return 40, 1 + number * 7919 % LONGEST


def test_two_hundred_callers_at_two_gateways_do_not_spend_more_than_a_dollar():
    with contextlib.ExitStack() as resources:
        provider = Provider(resources, pause=0.05, usage=random_usage)
        scene = PaidScene(resources, provider)
        key = scene.key()
        # The same callers, provider and gateways overspend, where somebody else sees to it that they do not.
        naive = check_then_act(scene, key, 400, threads=200, cap=DOLLAR)
        print("check-then-act spent", naive, "of", DOLLAR)
        assert naive > DOLLAR
        for trial in range(20 if FULL else 2):
            before = len(scene.events())
            budget, wallet = scene.grant(DOLLAR), scene.grant(3 * DOLLAR, "wallet")
            results = crowd(scene, key, 400, threads=200)
            # Those who were refused because of what others held would come again.
            results += crowd(scene, key, 200, threads=8)
            total = spent(results)
            codes = {amount for status, amount in results if status == 402}
            assert total <= DOLLAR, f"trial {trial}: {total}"
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


def test_a_shadow_refuses_nobody_and_says_whom_it_would_have_refused():
    with contextlib.ExitStack() as resources:
        provider = Provider(resources, usage=lambda number: (40, 500))
        scene = PaidScene(resources, provider, ENABLE_BUDGET_ENFORCEMENT="shadow")
        key = scene.key()
        # Of these calls, which cost half a cent, two fit; a wallet is no budget, and pays for all.
        budget, wallet = scene.grant(16_000_000), scene.grant(DOLLAR, "wallet")
        answers = [ask(scene.ports[number % 2], key, model=MODEL, more={"max_tokens": LONGEST}) for number in range(6)]
        assert [status for status, _, _ in answers] == [200] * 6, answers
        scene.wait_for_events(6)
        refused = scene.sql("SELECT count(*), min(would_refuse::text) FROM usage_events WHERE would_refuse IS NOT NULL")
        count, limit = refused.split("|")
        assert int(count) in (4, 5) and limit == str(budget), refused
        settled = dict(
            line.split("|") for line in scene.sql("SELECT id, settled_nano FROM money_limits").splitlines())
        assert int(settled[str(wallet)]) == 6 * (40 * INPUT + 500 * OUTPUT)
        assert int(settled[str(budget)]) == (6 - int(count)) * (40 * INPUT + 500 * OUTPUT)


def test_a_wallet_pays_a_commission_and_use_is_added_up_by_what_it_is_about():
    with contextlib.ExitStack() as resources:
        provider = Provider(resources, usage=lambda number: (41, 501))
        scene = PaidScene(resources, provider)
        scene.sql(
            "SET app.system = 'on'; UPDATE organizations SET commission_points = 3000, commission_mode = 'take_rate' "
            f"WHERE id = '{scene.organization}'")
        key = scene.key()
        wallet = scene.grant(DOLLAR, "wallet")
        scene.sql(
            "INSERT INTO ledger_transfers (id, org_id, debit, credit, amount_nano, reason) VALUES "
            f"(gen_random_uuid(), '{scene.organization}', 'cash', 'wallet', 1000000000, 'top_up')")
        metadata = {"metadata": {"team": "search"}}
        for port in scene.ports:
            assert ask(port, key, model=MODEL, more={"max_tokens": LONGEST} | metadata)[0] == 200
        scene.wait_for_events(2)
        paid = 41 * INPUT + 501 * OUTPUT
        # It is what remains when 30 % are taken away; half a nano-dollar counts as one.
        commission = (paid * 3 * 2 + 7) // (7 * 2)
        assert scene.sql("SELECT charge_nano, commission_nano FROM usage_events").splitlines() == [
            f"{paid + commission}|{commission}"] * 2
        balances = dict(line.split("|") for line in scene.sql("SELECT kind, balance_nano FROM ledger_accounts").splitlines())
        assert int(balances["commission_revenue"]) == 2 * commission
        assert int(balances["usage_revenue"]) == 2 * paid
        assert int(balances["wallet"]) == DOLLAR - 2 * (paid + commission)
        assert scene.given(wallet)[1] == DOLLAR
        assert scene.sql("SELECT tag, calls FROM usage_tags WHERE minutes = 1440") == "team=search|2"


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


def test_while_postgres_is_away_slices_pay_and_nothing_is_lost():
    away = 60 if FULL else 15
    with contextlib.ExitStack() as resources:
        longest = 50
        provider = Provider(resources, pause=0.02, usage=lambda number: (40, 1 + number % longest))
        scene = PaidScene(resources, provider)
        databases = scene.gateways.databases
        key = scene.key()
        budget = scene.grant(10 * DOLLAR)
        results = crowd(scene, key, 20, threads=4)
        assert {status for status, _ in results} == {200}, results
        databases.crash(databases.postgres)
        try:
            # What was granted at first is for some hundred calls of these.
            end = time.monotonic() + away
            during = []
            while time.monotonic() < end:
                during += crowd(scene, key, 4, threads=4)
                time.sleep(1)
            assert {status for status, _ in during} == {200}, during
            # Those who spend more come to the end of it.
            longest = LONGEST
            for _ in range(1_000):
                status, fields, text = ask(scene.ports[0], key, model=MODEL, more={"max_tokens": LONGEST})
                if status != 200:
                    break
            assert (status, json.loads(text)["error"]["code"]) == (503, "billing_unavailable"), text
            assert int(fields["retry-after"]) > 0
        finally:
            databases.start_postgres()
        wait_until(lambda: crowd(scene, key, 1, threads=1)[0][0] == 200, what="calls that are paid again")
        wait_until(lambda: len(scene.events()) == len(provider.used), what="every event in the books")
        settled = int(scene.sql(f"SELECT settled_nano FROM money_limits WHERE id = '{budget}'"))
        # The last answers may have been shortened to what could still be paid.
        served = sum(prompt * INPUT + completion * OUTPUT for prompt, completion in provider.used)
        assert settled == sum(event["cost"] for event in scene.events()) == served


def test_without_redis_the_database_pays_and_nothing_is_spent_twice():
    with contextlib.ExitStack() as resources:
        provider = Provider(resources, pause=0.02, usage=random_usage)
        scene = PaidScene(resources, provider)
        key = scene.key()
        limit = scene.grant(DOLLAR)
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
        assert total <= DOLLAR
        given, cap = scene.given(limit)
        assert total <= given <= cap
        # What Redis was not there to be told it hears.
        answered = sum(status == 200 for status, _ in results)
        assert sum(event["cost"] for event in scene.wait_for_events(answered)) == total
