"""A gateway that takes payments by Stripe: what is paid, refused, given back and taken away is in its books once, whatever
becomes of requests and webhooks on their way."""

import concurrent.futures
import json
import random
import sys
import time
import urllib.parse
import urllib.request

import pytest

from conftest import ROOT, free_port, wait_until
from local_stripe import LocalStripe
from stripe_proxy import Fault
from stripe_webhooks import Course, signature

sys.path.append(str(ROOT / "Tests" / "Faults"))
from own_databases import ask, call, command, psql, sign_in  # noqa: E402

SECRET = "whsec_of_the_tests"
KEY = "sk_test_of_the_lifecycle"
BILLING = "/api/v1/billing"


class Scene:
    """One gateway, its owner, and a Stripe of its own."""

    def __init__(self, make_gateway, stripe, **settings):
        stripe.proxy.reset()
        self.proxy = stripe.proxy
        self.environment = {
            "ENABLE_BILLING": "true", "STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_BASE": self.proxy.url, "PORT": str(free_port()),
        } | settings
        self.gateway = make_gateway(self.environment)
        self.proxy.deliver_to(
            f"http://127.0.0.1:{self.environment['PORT']}{BILLING}/webhooks/stripe", SECRET, retries=20, pause=0.2)
        self.gateway.start()
        self.token = sign_in(self.gateway)["access_token"]

    def ask(self, method, path, body=None, status=200, key=None):
        headers = {"Idempotency-Key": key} if key else None
        return ask(self.gateway, method, BILLING + path, body, self.token, status, headers)

    def stripe(self, method, path, **form):
        """As Stripe's dashboard does; or a browser, with a `key` of its own in the form."""
        body = urllib.parse.urlencode(form).encode() if method == "POST" else None
        headers = {} if "key" in form else {"Authorization": f"Bearer {KEY}"}
        request = urllib.request.Request(self.proxy.url + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def add_card(self, card="pm_card_visa"):
        intent = self.ask("POST", "/methods", status=201)
        self.stripe(
            "POST", f"/v1/setup_intents/{intent['id']}/confirm", key="pk_test_browser",
            client_secret=intent["client_secret"], payment_method=card)
        return self.ask("GET", "/methods")["data"]

    def sql(self, statement):
        return psql(self.gateway, "SET app.system = 'on'", statement)

    def account(self, name):
        return int(self.sql(f"SELECT coalesce(sum(balance_nano), 0) FROM ledger_accounts WHERE kind = '{name}'"))

    def usd(self, name):
        return self.account(name) / 1_000_000_000

    def settle(self):
        """Waits until all that Stripe has told is looked at."""
        def is_quiet():
            told = len(self.proxy.webhooks.taken)
            known = int(self.sql("SELECT count(*) FROM stripe_events"))
            waiting = int(self.sql("SELECT count(*) FROM stripe_events WHERE handled_at IS NULL"))
            return known >= told and waiting == 0

        # localstripe tells of things a second after they have happened.
        time.sleep(1.5)
        try:
            wait_until(is_quiet, limit=60, what="the end of all that Stripe has told")
        except AssertionError:
            print(self.sql("SELECT id, type, object_id, attempts, error FROM stripe_events WHERE handled_at IS NULL"))
            print({one["id"] for one in map(json.loads, self.proxy.webhooks.taken.values())}
                  - set(self.sql("SELECT id FROM stripe_events").splitlines()), self.proxy.webhooks.deliveries[-5:])
            print(self.gateway.output()[-3000:])
            raise

    def verify(self):
        code, output, errors = command(self.gateway, "verify")
        assert code == 0, output + errors

    def subscription(self, id):
        return self.ask("GET", f"/subscriptions/{id}")

    def intents(self):
        return self.sql("SELECT stripe_id FROM stripe_payments WHERE kind LIKE '%top_up' ORDER BY id").splitlines()


@pytest.fixture(scope="module")
def stripe():
    server = LocalStripe()
    yield server
    server.stop()


@pytest.fixture
def scene(make_gateway, stripe):
    return Scene(make_gateway, stripe)


def test_a_gateway_does_not_start_with_a_key_and_no_webhook_secret(make_gateway):
    for settings, reason in [
        ({"ENABLE_BILLING": "true", "STRIPE_SECRET_KEY": KEY}, "STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET}, "ENABLE_BILLING"),
    ]:
        gateway = make_gateway(settings)
        code, output, errors = command(gateway, "serve")
        assert code == 78
        assert reason in errors
        code, output, errors = command(gateway, "check-config")
        assert code == 78
        assert KEY not in output + errors
        assert SECRET not in output + errors


def test_a_subscription_is_begun_fails_recovers_changes_and_ends(scene):
    cards = scene.add_card("pm_card_chargeCustomerFail")
    assert [card["default"] for card in cards] == [True]
    begun = scene.ask("POST", "/subscriptions", {"plan": "starter"}, 201, key="begin")
    assert begun["status"] == "incomplete"
    assert begun["plan_in_force"] == "free"
    # Asked for twice, begun once.
    assert scene.ask("POST", "/subscriptions", {"plan": "starter"}, 201, key="begin") == begun
    scene.settle()
    invoice = scene.ask("GET", "/invoices")["data"][0]
    assert (invoice["status"], invoice["rest"]["usd"]) == ("open", "10")
    code, mails, _ = command(scene.gateway, "outbox")
    assert code == 0
    assert mails.count("A payment has failed") == 1

    good = next(card for card in scene.add_card() if not card["default"])
    scene.ask("POST", f"/methods/{good['id']}/default")
    paid = scene.ask("POST", "/payment", {"invoice_id": invoice["id"]}, 201, key="pay")
    assert paid["status"] == "succeeded"
    now = scene.subscription(begun["id"])
    assert (now["status"], now["plan_in_force"]) == ("active", "starter")
    assert scene.usd("subscription_revenue") == 10

    quote = scene.ask("POST", f"/subscriptions/{begun['id']}/preview", {"plan": "pro"})
    scene.proxy.will(
        Fault("fail_after", method="POST", path="/v1/subscriptions/"), Fault("cut_after", method="GET"))
    upgraded = scene.ask("POST", f"/subscriptions/{begun['id']}/upgrade", {"quote_id": quote["quote_id"]}, key="up")
    assert (upgraded["plan"]["name"], upgraded["plan_in_force"]) == ("pro", "pro")
    scene.settle()
    assert scene.usd("subscription_revenue") == pytest.approx(10 + float(quote["amount"]["usd"]))
    invoices = scene.ask("GET", "/invoices")["data"]
    assert {one["status"] for one in invoices} == {"paid"}

    # What is paid for is had up to the end of the period.
    down = scene.ask("POST", f"/subscriptions/{begun['id']}/downgrade", {"plan": "starter"})
    assert (down["plan"]["name"], down["next_plan"]["name"]) == ("pro", "starter")
    scene.settle()
    assert scene.subscription(begun["id"])["plan_in_force"] == "pro"
    kept = scene.ask("PATCH", f"/subscriptions/{begun['id']}", {"keep_plan": "current"})
    assert (kept["plan"]["name"], kept["next_plan"]) == ("pro", None)

    leaving = scene.ask("POST", f"/subscriptions/{begun['id']}/cancel", {"at_period_end": True})
    assert leaving["cancel_at_period_end"]
    assert not scene.ask("POST", f"/subscriptions/{begun['id']}/resume")["cancel_at_period_end"]
    gone = scene.ask("POST", f"/subscriptions/{begun['id']}/cancel", {"at_period_end": False})
    assert (gone["status"], gone["plan_in_force"]) == ("canceled", "free")
    scene.settle()
    scene.verify()
    assert len(scene.stripe("GET", "/v1/subscriptions?status=all")["data"]) == 1
    assert KEY not in scene.gateway.output()


def test_the_wallet_is_filled_once_and_what_goes_back_is_taken_back(scene):
    scene.add_card()
    card = scene.ask("GET", "/methods")["data"][0]["id"]
    scene.proxy.webhooks.will(Course("duplicate", count=50, times=3))
    scene.proxy.will(
        Fault("fail_after", method="POST", path="/v1/payment_intents$"),
        Fault("cut_after", method="POST", path="/confirm$"))
    body = {"amount": {"usd": "25.00"}, "method_id": card}
    paid = scene.ask("POST", "/payment", body, 201, key="top-up")
    assert paid["status"] == "succeeded"
    assert paid["client_secret"] is None
    scene.settle()
    assert scene.usd("wallet") == 25
    # Another is for the browser to finish; until it does there is no more.
    open_one = scene.ask("POST", "/payment", {"amount": {"usd": "5.00"}}, 201)
    assert open_one["client_secret"]
    assert scene.usd("wallet") == 25

    intent = scene.intents()[0]
    scene.stripe("POST", "/v1/refunds", payment_intent=intent, amount=700)
    scene.settle()
    wait_until(lambda: scene.usd("wallet") == 18, what="the refund")
    scene.proxy.webhooks.redeliver(*list(scene.proxy.webhooks.taken))
    scene.settle()
    assert scene.usd("wallet") == 18

    # Disputed in whole: more than there is. What is missing is owed, and paid by what comes in next.
    scene.proxy.dispute(intent, "needs_response")
    scene.settle()
    wait_until(lambda: scene.usd("wallet") == 0, what="the dispute")
    assert scene.usd("receivable") == -7
    assert scene.ask("GET", "/balance")["available"]["usd"] == "0"
    scene.ask("POST", "/payment", {"amount": {"usd": "10.00"}, "method_id": card}, 201)
    scene.settle()
    assert (scene.usd("wallet"), scene.usd("receivable")) == (3, 0)
    scene.proxy.dispute(intent, "won")
    scene.settle()
    wait_until(lambda: scene.usd("wallet") == 28, what="the end of the dispute")
    assert scene.usd("disputes") == 0
    scene.verify()
    charged = scene.stripe("GET", "/v1/charges?limit=100")["data"]
    assert sorted(one["amount"] for one in charged) == [1000, 2500]


def test_an_operator_gives_a_payment_back_in_parts_and_no_more_than_there_is(scene):
    scene.add_card()
    card = scene.ask("GET", "/methods")["data"][0]["id"]
    scene.ask("POST", "/payment", {"amount": {"usd": "25.00"}, "method_id": card}, 201)
    scene.settle()
    organization = scene.sql("SELECT org_id FROM stripe_payments")
    base = "/api/v1/admin"
    payments = ask(scene.gateway, "GET", f"{base}/organizations/{organization}/payments", None, scene.token)["data"]
    assert [(one["kind"], one["amount"]["usd"]) for one in payments] == [("top_up", "25")]

    def refund(body, status=204):
        return ask(scene.gateway, "POST", f"{base}/payments/{payments[0]['id']}/refund", body, scene.token, status)

    scene.proxy.will(Fault("fail_after", method="POST", path="/v1/refunds"))
    refund({"amount": {"usd": "7.00"}})
    assert scene.usd("wallet") == 18
    fault = refund({"amount": {"usd": "18.01"}}, 422)["error"]
    assert "USD 18.00" in fault["message"], fault
    refund({"amount": {"usd": "0.005"}}, 422)
    # Each of two who want all of it at once is told the truth, and it goes back once.
    with concurrent.futures.ThreadPoolExecutor(2) as both:
        list(both.map(lambda _: call(
            scene.gateway, "POST", f"{base}/payments/{payments[0]['id']}/refund", {}, scene.token), range(2)))
    assert scene.usd("wallet") == 0
    assert refund({}, 409)["error"]["code"] == "payment_state_conflict"
    scene.settle()
    assert (scene.usd("wallet"), scene.usd("receivable")) == (0, 0)
    assert sorted(one["amount"] for one in scene.stripe("GET", "/v1/refunds?limit=100")["data"]) == [700, 1800]
    scene.verify()


def test_what_is_not_signed_or_old_changes_nothing(scene):
    scene.add_card()
    card = scene.ask("GET", "/methods")["data"][0]["id"]
    scene.proxy.webhooks.will(Course("hold", count=100))
    scene.ask("POST", "/payment", {"amount": {"usd": "5.00"}, "method_id": card}, 201)
    wait_until(lambda: scene.proxy.webhooks.held, what="a webhook")
    body = next(iter(scene.proxy.webhooks.taken.values()))
    before = scene.sql("SELECT count(*) FROM stripe_events")
    now = int(time.time())
    for headers in [
        {}, {"Stripe-Signature": "t=1,v1=00"}, {"Stripe-Signature": signature("", body, now)},
        {"Stripe-Signature": signature("whsec_another", body, now)},
        {"Stripe-Signature": signature(SECRET, body, now - 301)},
        {"Stripe-Signature": signature(SECRET, body + b" ", now)},
    ]:
        answer = call(scene.gateway, "POST", f"{BILLING}/webhooks/stripe", body, headers=headers)
        assert answer.status == 400, answer
        assert json.loads(answer.body)["error"]["code"] == "invalid_signature"
    assert scene.sql("SELECT count(*) FROM stripe_events") == before
    # One from a clock that is ahead of ours is Stripe's all the same.
    headers = {"Stripe-Signature": signature(SECRET, body, now + 600)}
    assert call(scene.gateway, "POST", f"{BILLING}/webhooks/stripe", body, headers=headers).status == 200
    too_long = call(
        scene.gateway, "POST", f"{BILLING}/webhooks/stripe", b"{" + b" " * (1 << 20), headers=headers)
    assert too_long.status == 413


def test_webhooks_that_are_lost_or_come_in_any_order_come_to_the_same(scene, make_gateway):
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    chance = random.Random(seed)
    scene.add_card()
    card = scene.ask("GET", "/methods")["data"][0]["id"]
    scene.proxy.webhooks.will(Course("hold", count=1000))
    begun = scene.ask("POST", "/subscriptions", {"plan": "starter"}, 201)
    for dollars in (3, 4):
        amount = {"amount": {"usd": f"{dollars}.00"}}
        intent = scene.ask("POST", "/payment", amount, 201)
        # As a browser does, so that only webhooks tell of it.
        name = intent["client_secret"].rsplit("_secret_", 1)[0]
        scene.stripe("POST", f"/v1/payment_intents/{name}/confirm", payment_method=card)
    scene.stripe("POST", "/v1/refunds", payment_intent=scene.intents()[0], amount=100)
    scene.ask("POST", f"/subscriptions/{begun['id']}/upgrade", {"plan": "pro"})
    wait_until(lambda: len(scene.proxy.webhooks.held) >= 8, what="webhooks")
    assert scene.usd("wallet") == 0
    # Some are lost for good; the others come in another order, and some of them twice.
    held = list(scene.proxy.webhooks.held)
    chance.shuffle(held)
    told = held[: len(held) // 2]
    scene.proxy.webhooks.courses = []
    scene.proxy.webhooks.release(told + chance.sample(told, 2))
    wait_until(
        lambda: int(scene.sql("SELECT count(*) FROM stripe_events")) >= len(set(told)), what="what was not lost")
    # Whoever starts asks for what was lost.
    scene.gateway.stop()
    scene.gateway.start()
    scene.token = sign_in(scene.gateway)["access_token"]
    scene.settle()
    wait_until(lambda: scene.usd("wallet") == 6, what=f"all that was lost (seed {seed})")
    assert scene.usd("subscription_revenue") == pytest.approx(29.99)
    assert {one["status"] for one in scene.ask("GET", "/invoices")["data"]} == {"paid"}
    assert scene.subscription(begun["id"])["plan_in_force"] == "pro"
    scene.verify()


def test_a_wallet_is_filled_by_itself_until_the_card_is_declined(scene):
    scene.add_card()
    wish = {"threshold": {"usd": "5.00"}, "amount": {"usd": "6.00"}, "monthly_maximum": {"usd": "12.00"}}
    assert scene.ask("PUT", "/auto-topup", wish)["amount"]["usd"] == "6"
    wait_until(lambda: scene.usd("wallet") == 6, limit=40, what="the first filling")
    # It has enough now, and is left alone.
    failing = next(card for card in scene.add_card("pm_card_chargeCustomerFail") if not card["default"])
    scene.ask("POST", f"/methods/{failing['id']}/default")
    scene.stripe("POST", "/v1/refunds", payment_intent=scene.intents()[0], amount=500)
    wait_until(lambda: scene.ask("GET", "/auto-topup")["failures"] == 1, limit=60, what="a decline")
    assert scene.usd("wallet") == 1
    code, mails, _ = command(scene.gateway, "outbox")
    assert code == 0
    assert mails.count("Your wallet could not be filled") == 1
    states = scene.sql("SELECT status FROM stripe_payments WHERE kind = 'auto_top_up' ORDER BY id").splitlines()
    assert states == ["succeeded", "failed"]
    scene.settle()
    scene.verify()


def test_without_stripe_payments_are_taken_by_hand(make_gateway):
    gateway = make_gateway({"ENABLE_BILLING": "true"}).start()
    token = sign_in(gateway)["access_token"]
    for method, path, body in [
        ("GET", "/methods", None), ("POST", "/methods", None), ("POST", "/payment", {"amount": {"usd": "5.00"}}),
        ("GET", "/payments", None), ("GET", "/auto-topup", None), ("POST", "/webhooks/stripe", {}),
    ]:
        answer = ask(gateway, method, BILLING + path, body, token, 404)
        assert answer["error"]["code"] == "payments_by_hand"
