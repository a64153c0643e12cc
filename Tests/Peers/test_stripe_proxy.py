"""The Stripe of the tests keeps its word: with idempotency, with faults, and on the way of webhooks."""

import http.server
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from conftest import wait_until
from local_stripe import LocalStripe
from stripe_proxy import Fault
from stripe_webhooks import Course, signature

SECRET = "whsec_of_the_tests"


@pytest.fixture(scope="module")
def stripe():
    server = LocalStripe()
    yield server
    server.stop()


@pytest.fixture
def proxy(stripe):
    stripe.proxy.reset()
    return stripe.proxy


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.json = status, headers, json.loads(body)


def call(proxy, method, path, key=None, **form):
    body = urllib.parse.urlencode(form).encode() if method == "POST" else None
    headers = {"Authorization": "Bearer sk_test_12345"} | ({"Idempotency-Key": key} if key else {})
    request = urllib.request.Request(proxy.url + path, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


def customers(proxy):
    return call(proxy, "GET", "/v1/customers").json["data"]


def subscribe(proxy, **more):
    """A customer with a card, and two plans."""
    customer = call(proxy, "POST", "/v1/customers", email="a@b.example").json["id"]
    card = call(proxy, "POST", "/v1/payment_methods/pm_card_visa/attach", customer=customer).json["id"]
    call(proxy, "POST", f"/v1/customers/{customer}", **{"invoice_settings[default_payment_method]": card})
    call(proxy, "POST", "/v1/products", id="house", name="House")
    for plan, amount in [("starter", 1000), ("pro", 2999)]:
        call(proxy, "POST", "/v1/plans", id=plan, product="house", amount=amount, currency="usd", interval="month")
    subscription = call(proxy, "POST", "/v1/subscriptions", customer=customer, **{"items[0][plan]": "starter"}, **more)
    assert subscription.status == 200
    return subscription.json


def to_pro(subscription, **more):
    return {"items[0][id]": subscription["items"]["data"][0]["id"], "items[0][plan]": "pro"} | more


# Idempotency


def test_a_request_that_comes_again_is_answered_as_before_and_done_once(proxy):
    first, second = (call(proxy, "POST", "/v1/customers", key="k1", email="a@b.example") for _ in range(2))
    assert first.json == second.json
    assert first.headers["Idempotent-Replayed"] is None
    assert second.headers["Idempotent-Replayed"] == "true"
    assert [request.was_done for request in proxy.requests[:2]] == [True, False]
    assert len(customers(proxy)) == 1


def test_another_request_under_the_same_key_is_refused(proxy):
    call(proxy, "POST", "/v1/customers", key="k1", email="a@b.example")
    other = call(proxy, "POST", "/v1/customers", key="k1", email="c@b.example")
    assert (other.status, other.json["error"]["type"]) == (400, "idempotency_error")
    assert len(customers(proxy)) == 1


def test_of_many_who_ask_at_once_with_one_key_one_is_done(proxy):
    found = []

    def ask():
        found.append(call(proxy, "POST", "/v1/customers", key="k1", email="a@b.example"))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in found} <= {200, 409}
    assert len({answer.json["id"] for answer in found if answer.status == 200}) == 1
    assert len(customers(proxy)) == 1


def test_what_was_refused_may_be_asked_anew_under_its_key(proxy):
    assert call(proxy, "POST", "/v1/customers", key="k1", email="a", nonsense="b").status == 400
    assert call(proxy, "POST", "/v1/customers", key="k1", email="a").status == 200


# Faults


def test_a_fault_before_leaves_nothing_done_and_one_after_leaves_all_done(proxy):
    proxy.will(
        Fault("fail_before", status=503, method="POST"),
        Fault("fail_after", status=500, method="POST", headers={"Retry-After": "1"}),
    )
    assert call(proxy, "POST", "/v1/customers", key="k1").status == 503
    assert customers(proxy) == []
    broken = call(proxy, "POST", "/v1/customers", key="k1")
    assert (broken.status, broken.headers["Retry-After"]) == (500, "1")
    assert len(customers(proxy)) == 1
    assert call(proxy, "POST", "/v1/customers", key="k1").headers["Idempotent-Replayed"] == "true"
    assert len(customers(proxy)) == 1


def test_a_fault_may_be_what_the_key_is_answered_with_from_then_on(proxy):
    proxy.will(Fault("fail_after", method="POST", is_kept=True))
    assert [call(proxy, "POST", "/v1/customers", key="k1").status for _ in range(2)] == [500, 500]
    assert len(customers(proxy)) == 1


def test_a_connection_that_is_cut_has_done_what_was_said(proxy):
    proxy.will(Fault("cut_before", method="POST"), Fault("cut_after", method="POST"))
    for count in (0, 1):
        with pytest.raises(OSError):
            call(proxy, "POST", "/v1/customers")
        assert len(customers(proxy)) == count


def test_faults_meet_only_those_requests_that_they_are_for(proxy):
    proxy.will(Fault("fail_before", count=2, method="POST", path="^/v1/products$"), Fault("delay", seconds=0.5))
    begun = time.monotonic()
    assert customers(proxy) == []
    assert time.monotonic() - begun >= 0.5
    assert call(proxy, "POST", "/v1/customers").status == 200
    assert [call(proxy, "POST", "/v1/products", name="a").status for _ in range(3)] == [500, 500, 200]


# What localstripe lacks


def test_a_change_of_plan_is_paid_at_once_and_told(proxy):
    before = subscribe(proxy)
    path = f"/v1/subscriptions/{before['id']}"
    changed = call(proxy, "POST", path, **to_pro(before, proration_behavior="always_invoice"))
    assert changed.json["plan"]["id"] == "pro"
    invoice = call(proxy, "GET", f"/v1/invoices/{changed.json['latest_invoice']}").json
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", 1999)
    told = [event for event in proxy.events.values() if event["type"] == "customer.subscription.updated"]
    assert [event["data"]["object"]["plan"]["id"] for event in told] == ["pro"]
    assert told[0]["data"]["previous_attributes"]["plan"]["id"] == "starter"
    assert call(proxy, "GET", f"/v1/events/{told[0]['id']}").json == told[0]


def test_events_are_listed_newest_first_and_in_pages(proxy):
    before = subscribe(proxy)
    call(proxy, "POST", f"/v1/subscriptions/{before['id']}", **to_pro(before, proration_behavior="none"))
    whole = call(proxy, "GET", "/v1/events?limit=100").json
    times = [event["created"] for event in whole["data"]]
    assert times == sorted(times, reverse=True) and not whole["has_more"]
    assert whole["data"][0]["type"] == "customer.subscription.updated"
    paged, after = [], ""
    while True:
        page = call(proxy, "GET", f"/v1/events?limit=2{after}").json
        paged += page["data"]
        after = f"&starting_after={page['data'][-1]['id']}"
        if not page["has_more"]:
            break
    assert paged == whole["data"]


def test_a_trial_is_one(proxy):
    assert subscribe(proxy, payment_behavior="default_incomplete")["status"] == "active"
    proxy.reset()
    trial = subscribe(proxy, trial_period_days=14)
    assert (trial["status"], trial["trial_end"] - trial["created"]) == ("trialing", 14 * 86_400)
    assert call(proxy, "GET", f"/v1/subscriptions/{trial['id']}").json["status"] == "trialing"


def test_a_subscription_that_has_ended_is_not_found_by_who_cancels_it(proxy):
    path = f"/v1/subscriptions/{subscribe(proxy)['id']}"
    assert call(proxy, "DELETE", path).json["canceled_at"] is not None
    gone = call(proxy, "DELETE", path)
    assert (gone.status, gone.json["error"]["code"]) == (404, "resource_missing")
    assert call(proxy, "GET", path).json["status"] == "canceled"


def test_a_declined_payment_is_an_error_of_the_card(proxy):
    customer = call(proxy, "POST", "/v1/customers").json["id"]
    card = call(proxy, "POST", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=customer).json["id"]
    intent = call(proxy, "POST", "/v1/payment_intents", customer=customer, amount=500, currency="usd").json
    assert (intent["status"], intent["amount_received"]) == ("requires_payment_method", 0)
    declined = call(proxy, "POST", f"/v1/payment_intents/{intent['id']}/confirm", payment_method=card)
    assert (declined.status, declined.json["error"]["type"]) == (402, "card_error")


def test_usage_is_taken_once_for_each_identifier(proxy):
    usage = {"event_name": "tokens", "payload[value]": 5, "payload[stripe_customer_id]": "cus_1"}
    assert call(proxy, "POST", "/v1/billing/meter_events", identifier="u1", **usage).status == 200
    assert call(proxy, "POST", "/v1/billing/meter_events", identifier="u1", **usage).status == 400
    assert call(proxy, "POST", "/v1/billing/meter_events", **usage).status == 400
    assert list(proxy.meter_events) == ["u1"]


# Webhooks


class Receiver(http.server.ThreadingHTTPServer):
    """Takes webhooks, or answers what it was told to."""

    daemon_threads = True

    def __init__(self):
        self.taken, self.statuses = [], []
        super().__init__(("127.0.0.1", 0), Taker)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def types(self):
        return [event["type"] for event, _ in self.taken]


class Taker(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.server.taken.append((json.loads(body), (self.headers["Stripe-Signature"], body)))
        self.send_response(status)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def receiver(proxy):
    # Those of the test before are still on their way, for a second.
    time.sleep(1.5)
    proxy.reset()
    server = Receiver()
    proxy.deliver_to(f"http://127.0.0.1:{server.server_port}/hook", SECRET, retries=2, pause=0.05)
    yield server
    server.shutdown()
    server.server_close()


def age_of(signed, secret=SECRET):
    """How many seconds ago it says that it was signed; it must be a signature of that body."""
    header, body = signed
    at = int(header.removeprefix("t=").split(",")[0])
    assert header == signature(secret, body, at)
    return time.time() - at


def arrived(receiver, *types):
    wait_until(lambda: len(receiver.taken) >= len(types), limit=10, what="the arrival of webhooks")
    time.sleep(0.3)
    assert receiver.types == list(types)


def test_a_webhook_arrives_as_localstripe_has_signed_it(proxy, receiver):
    customer = call(proxy, "POST", "/v1/customers").json["id"]
    arrived(receiver, "customer.created")
    event, signed = receiver.taken[0]
    assert event["data"]["object"]["id"] == customer
    assert age_of(signed) < 10


def test_webhooks_are_doubled_dropped_and_sent_again(proxy, receiver):
    proxy.webhooks.will(Course("duplicate", type="customer"), Course("drop", type="product"))
    call(proxy, "POST", "/v1/customers")
    arrived(receiver, "customer.created", "customer.created")
    call(proxy, "POST", "/v1/products", id="house", name="House")
    wait_until(lambda: len(proxy.webhooks.taken) == 2, limit=10, what="the product's webhook")
    arrived(receiver, "customer.created", "customer.created")
    proxy.webhooks.redeliver(*proxy.webhooks.taken)
    arrived(receiver, *["customer.created"] * 3, "product.created")
    assert len({event["id"] for event, _ in receiver.taken}) == 2


def test_webhooks_are_held_and_let_go_in_another_order(proxy, receiver):
    proxy.webhooks.will(Course("hold", count=3))
    for name in ("a", "b", "c"):
        call(proxy, "POST", "/v1/products", id=name, name=name)
    wait_until(lambda: len(proxy.webhooks.held) == 3, limit=10, what="three webhooks")
    assert receiver.taken == []
    proxy.webhooks.release("reversed")
    arrived(receiver, *["product.created"] * 3)
    assert [event["data"]["object"]["id"] for event, _ in receiver.taken] == ["c", "b", "a"]


def test_a_webhook_that_is_late_is_overtaken(proxy, receiver):
    proxy.webhooks.will(Course("delay", type="customer", seconds=2))
    call(proxy, "POST", "/v1/customers")
    call(proxy, "POST", "/v1/products", name="a")
    arrived(receiver, "product.created", "customer.created")


def test_a_webhook_is_signed_with_another_secret_or_long_ago(proxy, receiver):
    proxy.webhooks.will(Course("sign", secret="whsec_other"), Course("sign", age=301))
    call(proxy, "POST", "/v1/customers")
    call(proxy, "POST", "/v1/customers")
    arrived(receiver, "customer.created", "customer.created")
    assert age_of(receiver.taken[0][1], "whsec_other") < 10
    assert 301 <= age_of(receiver.taken[1][1]) < 310


def test_a_webhook_that_is_not_taken_comes_again(proxy, receiver):
    receiver.statuses = [500, 503]
    call(proxy, "POST", "/v1/customers")
    arrived(receiver, *["customer.created"] * 3)
    assert [delivery["status"] for delivery in proxy.webhooks.deliveries] == [500, 503, 200]


def test_a_change_of_a_subscription_is_told_by_a_signed_webhook(proxy, receiver):
    before = subscribe(proxy)
    call(proxy, "POST", f"/v1/subscriptions/{before['id']}", cancel_at_period_end="true")
    wait_until(lambda: "customer.subscription.created" in receiver.types, limit=10, what="webhooks")
    event, signed = next(taken for taken in receiver.taken if taken[0]["type"] == "customer.subscription.updated")
    assert event["data"]["object"]["cancel_at_period_end"] is True
    assert event["data"]["previous_attributes"] == {"cancel_at_period_end": False}
    assert age_of(signed) < 10


# Another process


def test_another_process_tells_it_what_to_do(proxy):
    def order(method, name, body=None):
        raw = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{proxy.url}/_proxy/{name}", raw, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    assert order("POST", "faults", [{"what": "fail_after", "status": 502}])[0] == 200
    assert order("POST", "faults", [{"what": "nonsense"}])[0] == 400
    assert order("GET", "nonsense")[0] == 404
    assert call(proxy, "POST", "/v1/customers", key="k1").status == 502
    (asked,) = order("GET", "requests")[1]
    assert (asked["method"], asked["path"], asked["key"], asked["was_done"]) == ("POST", "/v1/customers", "k1", True)
    assert order("POST", "reset", {})[0] == 200
    assert customers(proxy) == []
