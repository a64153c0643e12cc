"""Budgets at two gateways: made by the API, they hold from the next request on, and tell once."""

import contextlib
import hashlib
import hmac
import http.server
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from answering_provider import Provider
from conftest import ROOT, free_port, wait_until
from test_limits import ask
from test_money import INPUT, MODEL, OUTPUT, PaidScene, crowd, random_usage, spent
from test_process import run

# What a call costs here, about half a cent, and what it holds at most.
USAGE = (40, 500)
COST = USAGE[0] * INPUT + USAGE[1] * OUTPUT
LONGEST = 1_000


def usd(nanodollars):
    return {"usd": f"{nanodollars // 10**9}.{nanodollars % 10**9:09}"}


class BudgetScene(PaidScene):
    def call(self, method, path, body=None, gateway=0):
        return self.gateways.clients[gateway].call(method, path, body, self.token)

    def make(self, nanodollars, **fields):
        wanted = {"name": "Budget", "subject": "organization", "period": "month", "amount": usd(nanodollars)} | fields
        status, made = self.call("POST", "/api/v1/budgets", wanted)
        assert status == 201, made
        return made

    def change(self, budget, **fields):
        status, changed = self.call("PATCH", f"/api/v1/budgets/{budget['id']}", fields)
        assert status == 200, changed
        return changed

    def window(self, budget, gateway=1):
        status, shown = self.call("GET", f"/api/v1/budgets/{budget['id']}", gateway=gateway)
        assert status == 200, shown
        return shown["window"]

    def spent(self, budget):
        return int(self.window(budget)["spent"]["nano"])

    def ask(self, key, number=0, **more):
        """The status of one call, and its code where it is refused."""
        status, _, text = ask(
            self.ports[number % 2], key, f"question {number}", model=MODEL, more={"max_tokens": LONGEST} | more)
        return status, json.loads(text).get("error", {}).get("code")


def scene_of(resources, **settings):
    return BudgetScene(resources, Provider(resources, usage=lambda number: USAGE), **settings)


def test_a_hard_budget_refuses_from_the_next_request_on_and_lets_go_on_when_it_is_raised():
    with contextlib.ExitStack() as resources:
        scene = scene_of(resources)
        key = scene.key()
        for number in range(4):
            assert scene.ask(key, number)[0] == 200
        scene.wait_for_events(4)
        # What was used before counts: this is spent when it is made, at either gateway.
        budget = scene.make(4 * COST)
        assert int(budget["window"]["spent"]["nano"]) == 4 * COST and budget["state"] == "spent"
        for number in range(2):
            assert scene.ask(key, number) == (402, "budget_exceeded"), number
        scene.change(budget, amount=usd(1_000_000_000))
        for number in range(2):
            assert scene.ask(key, number)[0] == 200
        wait_until(lambda: scene.spent(budget) == 6 * COST, what="the spending of six calls")
        # Less than gateways had been given: what they have is taken back.
        scene.change(budget, amount=usd(6 * COST + 1))
        for number in range(2):
            assert scene.ask(key, number)[0] == 402
        status, _ = scene.call("DELETE", f"/api/v1/budgets/{budget['id']}")
        assert status == 204
        for number in range(2):
            assert scene.ask(key, number)[0] == 200


def test_two_hundred_callers_do_not_spend_more_than_a_budget_that_was_just_made():
    with contextlib.ExitStack() as resources:
        scene = BudgetScene(resources, Provider(resources, pause=0.05, usage=random_usage))
        key = scene.key()
        budget = scene.make(1_000_000_000)
        results = crowd(scene, key, 400, threads=200)
        results += crowd(scene, key, 200, threads=8)
        total = spent(results)
        assert {status for status, _ in results} == {200, 402}
        assert 900_000_000 < total <= 1_000_000_000
        scene.wait_for_events(sum(status == 200 for status, _ in results))
        assert scene.spent(budget) == total


def test_a_soft_budget_refuses_nobody_and_a_tag_budget_those_alone_whose_requests_have_it():
    with contextlib.ExitStack() as resources:
        scene = scene_of(resources)
        key = scene.key()
        soft = scene.make(1, hard=False, name="Soft")
        tag = scene.make(3 * 2 * COST, name="Search", subject="tag:team=search", period="day")
        search = {"metadata": {"team": "search"}}
        outcomes = [scene.ask(key, number, **search) for number in range(12)]
        passed = outcomes.count((200, None))
        assert {outcome for outcome in outcomes[passed:]} == {(402, "budget_exceeded")}, outcomes
        assert 3 <= passed <= 6, outcomes
        for number in range(4):
            assert scene.ask(key, number)[0] == 200
            assert scene.ask(key, number, metadata={"team": "ads"})[0] == 200
        scene.wait_for_events(passed + 8)
        # The last answer may have been as long as could be paid.
        tagged = int(scene.sql("SELECT sum(cost_nano) FROM usage_events WHERE tags ->> 'team' = 'search'"))
        assert (passed - 1) * COST < tagged <= passed * COST
        assert scene.spent(tag) == tagged
        assert scene.spent(soft) == tagged + 8 * COST
        # Nothing was granted of what only counts, and the books agree.
        assert scene.sql(f"SELECT granted_nano FROM money_limits WHERE id = '{soft['window']['id']}'") == "0"
        verified = subprocess.run(
            [scene.gateways.gateways[0].program, "verify"], cwd="/", capture_output=True, text=True,
            env={"PATH": "/usr/bin:/bin"} | scene.gateways.environment)
        assert verified.returncode == 0, verified.stdout + verified.stderr


def test_an_override_holds_until_its_end():
    with contextlib.ExitStack() as resources:
        scene = scene_of(resources)
        key = scene.key()
        budget = scene.make(0)
        path = f"/api/v1/budgets/{budget['id']}/override"
        assert scene.ask(key) == (402, "request_exceeds_budget")
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 8))
        status, shown = scene.call("PUT", path, {"amount": usd(1_000_000_000), "until": until})
        assert status == 200 and shown["override"]["until"].startswith(until[:-1])
        for number in range(2):
            assert scene.ask(key, number)[0] == 200
        # Then nobody does anything.
        wait_until(lambda: scene.window(budget)["amount"]["nano"] == "0", 30, "the end of the override")
        wait_until(lambda: scene.ask(key, 1)[0] == 402, 10, "what holds behind it")
        assert scene.ask(key, 0)[0] == 402


def test_a_shadow_is_reported():
    with contextlib.ExitStack() as resources:
        scene = scene_of(resources, ENABLE_BUDGET_ENFORCEMENT="shadow")
        key = scene.key()
        budget = scene.make(0, name="Nothing")
        for number in range(3):
            assert scene.ask(key, number)[0] == 200
        scene.wait_for_events(3)
        status, report = scene.call("GET", "/api/v1/budgets/refusals")
        assert status == 200
        assert (report["calls"], report["spent"]["nano"]) == (3, str(3 * COST))
        assert [(one["name"], one["budget_id"]) for one in report["data"]] == [("Nothing", budget["id"])]
        assert scene.call("GET", "/api/v1/budget/status")[1]["mode"] == "shadow"


def test_everybody_has_the_usual_monthly_budget_until_they_say_otherwise():
    with contextlib.ExitStack() as resources:
        scene = scene_of(resources, DEFAULT_MONTHLY_BUDGET="0.02")

        def budgets():
            return scene.call("GET", "/api/v1/budgets", gateway=1)[1]["data"]

        wait_until(budgets, 20, "the budget")
        assert [(one["period"], one["amount"]["usd"], one["created_by"]) for one in budgets()] == [("month", "0.02", None)]
        key = scene.key()
        codes = [scene.ask(key, number)[0] for number in range(6)]
        assert codes.count(402) >= 2 and codes.count(200) >= 1, codes
        assert scene.call("PUT", "/api/v1/budget/limit", {"amount": {"usd": "5"}})[0] == 200
        assert [scene.ask(key, number)[0] for number in range(2)] == [200, 200]
        assert len(budgets()) == 1
        scene.call("DELETE", f"/api/v1/budgets/{budgets()[0]['id']}")
        time.sleep(11)
        assert budgets() == []


def test_a_usual_budget_that_is_no_amount_is_named(make_gateway):
    for value in ["lots", "-1", "1.", ".5", "1.2.3", "1e3", "100000000", "0.0000000001"]:
        code, _, errors = run(make_gateway(), "check-config", DEFAULT_MONTHLY_BUDGET=value)
        assert (code, "DEFAULT_MONTHLY_BUDGET:" in errors) == (78, True), value
    for value in ["0", "0.5", "99999999.999999999"]:
        assert run(make_gateway(), "check-config", DEFAULT_MONTHLY_BUDGET=value)[0] == 0


class Hooks(http.server.ThreadingHTTPServer):
    """Takes webhooks, the first of which it does not want."""

    daemon_threads = True

    def __init__(self, resources):
        super().__init__(("127.0.0.1", 0), HookHandler)
        self.taken, self.lock = [], threading.Lock()
        resources.callback(self.server_close)
        resources.callback(self.shutdown)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class HookHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.server.lock:
            self.server.taken.append((dict(self.headers), body))
            status = 500 if len(self.server.taken) == 1 else 200
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def test_a_threshold_comes_once_by_mail_and_by_a_signed_webhook_though_two_gateways_watch():
    with contextlib.ExitStack() as resources:
        hooks = Hooks(resources)
        port, folder = free_port(), pathlib.Path(tempfile.mkdtemp(prefix="hivegate-mail-", dir="/tmp"))
        receiver = subprocess.Popen(
            [sys.executable, ROOT / "Tests" / "Peers" / "smtp_receiver.py", str(port), folder])
        resources.callback(receiver.wait)
        resources.callback(receiver.kill)
        scene = scene_of(
            resources, SMTP_URL=f"smtp://127.0.0.1:{port}", HIVEGATE_OUTBOUND_ALLOW="127.0.0.0/8", REQUIRE_VERIFIED_EMAIL="false")
        key = scene.key()
        budget = scene.make(
            10 * COST, thresholds=[10, 20, 1000], alert_emails=["ops@example.com"],
            webhook_url=f"http://127.0.0.1:{hooks.server_port}/alerts")
        secret = budget["webhook_secret"]
        assert scene.call("GET", f"/api/v1/budgets/{budget['id']}")[1].get("webhook_secret") is None
        for number in range(3):
            assert scene.ask(key, number)[0] == 200
        scene.wait_for_events(3)

        def mails():
            return [json.loads(path.read_text()) for path in folder.glob("*.json")]

        wait_until(lambda: len(hooks.taken) >= 2 and mails(), 60, "the alert")
        time.sleep(12)
        # The first try was refused: it is the same event.
        assert len({body for _, body in hooks.taken}) == len(hooks.taken) - 1 or len(hooks.taken) == 2
        told = {json.loads(body)["id"]: json.loads(body) for _, body in hooks.taken}
        # At most the one of 10 % came before the one of 20 %.
        assert sorted(event["threshold"] for event in told.values()) in ([20], [10, 20]), told
        assert len(mails()) == len(told) == len(hooks.taken) - 1
        assert all(mail["to"] == ["ops@example.com"] for mail in mails())
        for fields, body in hooks.taken:
            at, code = (part.split("=", 1)[1] for part in fields["Hivegate-Signature"].split(","))
            assert hmac.compare_digest(
                code, hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest())
            assert abs(int(at) - time.time()) < 120
