"""Stripe for tests: localstripe, which keeps what there is, behind a proxy, which adds what it lacks and goes wrong as told.

usage: stripe_proxy.py PORT LOCALSTRIPE_PORT

What the proxy adds to localstripe:
- `Idempotency-Key`: the same request is answered as before (`Idempotent-Replayed: true`), another one under that key is
  refused (400), and so is one while the first is being done (409);
- `customer.subscription.updated`, whenever a subscription has become another; and a list of events, the newest first;
- `proration_behavior` of changes of plan: with `always_invoice` the difference is invoiced and paid, to the month and not to
  the second. `payment_behavior` is taken and makes no difference: a subscription is paid when it is made;
- trials that are `trialing`;
- confirming a payment intent with another payment method; a card that a setup intent has kept is its customer's;
- `charge.refunded`, and disputes, which begin and end as told, with their events;
- `POST /v1/billing/meter_events`;
- `amount_received`, `canceled_at`, and declined payments as errors of cards; a subscription that has ended is not found by
  whoever cancels it.

From another process it is told what to do by `POST /_proxy/…` (a JSON body) and asked by `GET /_proxy/…`: see `Orders`.
"""

import dataclasses
import http.client
import http.server
import itertools
import json
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse

from stripe_webhooks import Course, Webhooks

FAULTS = {"fail_before", "fail_after", "cut_before", "cut_after", "delay"}
LOCALSTRIPE_VERSION = "2017-08-15"


@dataclasses.dataclass
class Fault:
    """What goes wrong with the next `count` requests of `method` whose path `path` is found in."""

    what: str
    count: int = 1
    status: int = 500
    seconds: float = 0
    method: str = None
    path: str = ""
    headers: dict = dataclasses.field(default_factory=dict)
    is_kept: bool = False
    """Whether what goes wrong afterwards is what the key is answered with from then on."""

    def __post_init__(self):
        if self.what not in FAULTS:
            raise ValueError(f"{self.what} is none of {sorted(FAULTS)}")

    def meets(self, method, path):
        return self.method in (None, method) and re.search(self.path, path) is not None


@dataclasses.dataclass
class Request:
    method: str
    path: str
    key: str
    body: str
    was_done: bool = False
    """Whether it has got to localstripe: then it was neither refused, replayed, nor lost on the way there."""


@dataclasses.dataclass
class Answer:
    status: int
    body: dict
    headers: dict = dataclasses.field(default_factory=dict)


def error(status, type, message, code=None):
    told = {"type": type, "message": message}
    return Answer(status, {"error": told | ({"code": code} if code else {})})


class StripeProxy(http.server.ThreadingHTTPServer):
    """Started when it is made; tests in the same process tell it what to do by its methods."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, localstripe_port, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.localstripe_port = localstripe_port
        self.numbers = itertools.count(1)
        # Of what follows; and one request at a time, so that what it has changed can be told.
        self.lock, self.doing = threading.Lock(), threading.Lock()
        self.webhooks = Webhooks()
        self.forget()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def forget(self):
        self.requests, self.faults, self.keys = [], [], {}
        self.subscriptions, self.events, self.meter_events, self.disputes = {}, {}, {}, {}
        self.webhooks.forget()

    def reset(self):
        """All is as at the start, in localstripe too; webhooks still go where they went."""
        with self.doing, self.lock:
            self.localstripe("DELETE", "/_config/data")
            self.forget()

    def stop(self):
        self.webhooks.stop()
        self.shutdown()
        self.server_close()

    def will(self, *faults):
        """What goes wrong next, in that order."""
        with self.lock:
            self.faults += faults

    def deliver_to(self, url, secret, retries=0, pause=0.2):
        """Where webhooks go, signed with that secret, and how often each is sent again until it is taken."""
        self.webhooks.deliver_to(url, secret, retries, pause)
        mine = {"url": f"{self.url}/_proxy/webhook", "secret": secret}
        self.localstripe("POST", "/_config/webhooks/proxy", json.dumps(mine), {"Content-Type": "application/json"})

    # Requests

    def serve(self, request, headers):
        """The answer; `None` for one that is cut off."""
        with self.lock:
            self.requests.append(request)
            fault = next((fault for fault in self.faults if fault.meets(request.method, request.path)), None)
            if fault:
                fault.count -= 1
                self.faults = [left for left in self.faults if left.count > 0]
        if fault and fault.what == "delay":
            time.sleep(fault.seconds)
        if fault and fault.what == "cut_before":
            return None
        broken = fault and error(fault.status, "api_error", "It went wrong, as it was told to.")
        if broken:
            broken.headers = fault.headers
        if fault and fault.what == "fail_before":
            return broken
        answer = self.answer_once(request, headers)
        if fault and fault.what == "cut_after":
            return None
        if fault and fault.what == "fail_after" and fault.is_kept:
            with self.lock:
                self.keys[request.key] = ((request.path, request.body), broken)
        return broken if fault and fault.what == "fail_after" else answer

    def answer_once(self, request, headers):
        if request.method != "POST" or not request.key:
            return self.do(request, headers)
        asked = (request.path, request.body)
        with self.lock:
            kept = self.keys.get(request.key)
            if kept is None:
                self.keys[request.key] = (asked, None)
        if kept is not None:
            before, answer = kept
            if before != asked:
                return error(400, "idempotency_error", "This key was used with other parameters.")
            if answer is None:
                return error(409, "invalid_request_error", "This key is in use.", "idempotency_key_in_use")
            return dataclasses.replace(answer, headers=answer.headers | {"Idempotent-Replayed": "true"})
        answer = None
        try:
            answer = self.do(request, headers)
            return answer
        finally:
            with self.lock:
                # What was refused before anything was done is not kept.
                if answer and (answer.status < 400 or answer.status == 402):
                    self.keys[request.key] = (asked, answer)
                else:
                    self.keys.pop(request.key, None)

    def do(self, request, headers):
        with self.doing:
            request.was_done = True
            path = urllib.parse.urlsplit(request.path)
            query = dict(urllib.parse.parse_qsl(path.query))
            form = urllib.parse.parse_qsl(request.body, keep_blank_values=True)
            if path.path == "/v1/billing/meter_events":
                return self.take_meter_event(dict(form))
            if request.method == "GET" and (found := re.fullmatch(r"/v1/events(?:/(\w+))?", path.path)):
                return self.tell_events(found[1], query, headers)
            if request.method == "GET" and (found := re.fullmatch(r"/v1/disputes/(\w+)", path.path)):
                dispute = self.disputes.get(found[1])
                return Answer(200, dispute) if dispute else error(404, "invalid_request_error", "No such dispute.")
            if request.method == "GET":
                return self.ask("GET", request.path, headers=headers)
            answer = self.change(request, path.path, form, headers)
            self.note_changes(headers)
            return answer

    def change(self, request, path, form, headers):
        changed, confirmed = (re.fullmatch(pattern, path) for pattern in (
            r"/v1/subscriptions/(\w+)", r"/v1/payment_intents/(\w+)/confirm"))
        if changed and request.method == "DELETE":
            found = self.ask("GET", path, headers=headers)
            if found.status == 200 and found.body["status"] == "canceled":
                return error(404, "invalid_request_error", f"No such subscription: '{changed[1]}'", "resource_missing")
        if changed and request.method == "POST":
            return self.change_subscription(path, form, headers)
        if path == "/v1/subscriptions":
            form = [pair for pair in form if pair[0] != "payment_behavior"]
        if confirmed and (method := dict(form).get("payment_method")):
            chosen = self.ask("POST", f"/v1/payment_intents/{confirmed[1]}", [("payment_method", method)], headers)
            if chosen.status >= 400:
                return chosen
            form = [pair for pair in form if pair[0] != "payment_method"]
        answer = self.ask(request.method, request.path, form, headers)
        if answer.status == 200:
            self.go_on(path, answer.body, headers)
        return answer

    def go_on(self, path, told, headers):
        """What Stripe does by itself because of it."""
        if path == "/v1/refunds":
            self.tell("charge.refunded", self.ask("GET", f"/v1/charges/{told['charge']}", headers=headers).body)
        kept = re.fullmatch(r"/v1/setup_intents/\w+/confirm", path) and told["status"] == "succeeded" and told["customer"]
        if kept:
            # There the key is the browser's, which may not do this.
            own = {"Authorization": "Bearer sk_test_proxy"}
            place = f"/v1/payment_methods/{told['payment_method']}/attach"
            self.ask("POST", place, [("customer", kept)], own)

    def dispute(self, payment_intent, status):
        """Begins a dispute of all of a payment, or says how it stands now."""
        own = {"Authorization": "Bearer sk_test_proxy"}
        with self.doing:
            paid = self.ask("GET", f"/v1/payment_intents/{payment_intent}", headers=own).body
            charge = paid["latest_charge"]
            charge = charge["id"] if isinstance(charge, dict) else charge
            id = f"dp_{payment_intent.removeprefix('pi_')}"
            kind = "updated" if id in self.disputes else "created"
            self.disputes[id] = {
                "id": id, "object": "dispute", "amount": paid["amount"], "currency": paid["currency"],
                "charge": charge, "payment_intent": payment_intent, "status": status}
            self.tell(f"charge.dispute.{kind}", self.disputes[id])

    def change_subscription(self, path, form, headers):
        proration = dict(form).get("proration_behavior")
        form = [pair for pair in form if pair[0] not in ("proration_behavior", "payment_behavior")]
        if proration:
            form.append(("prorate", "false" if proration == "none" else "true"))
        answer = self.ask("POST", path, form, headers)
        if answer.status >= 400 or proration != "always_invoice":
            return answer
        about = [("customer", answer.body["customer"]), ("subscription", answer.body["id"])]
        invoice = self.ask("POST", "/v1/invoices", about, headers)
        if invoice.status >= 400:
            return invoice
        paid = self.ask("POST", f"/v1/invoices/{invoice.body['id']}/pay", headers=headers)
        return paid if paid.status >= 400 else self.ask("GET", path, headers=headers)

    # Events

    def note_changes(self, headers):
        """Tells of subscriptions that have become others since the last look, as localstripe never does."""
        found = self.ask("GET", "/v1/subscriptions?status=all&limit=10000", headers=headers)
        for subscription in found.body.get("data", []):
            before = self.subscriptions.get(subscription["id"])
            self.subscriptions[subscription["id"]] = subscription
            if before in (None, subscription) or "canceled" in (before["status"], subscription["status"]):
                continue
            previous = {name: before[name] for name in before if before[name] != subscription.get(name)}
            self.tell("customer.subscription.updated", subscription, previous_attributes=previous)

    def tell(self, type, subject, **more):
        event = {
            "id": f"evt_proxy{next(self.numbers):09}", "object": "event", "api_version": LOCALSTRIPE_VERSION,
            "created": int(time.time()), "livemode": False, "type": type, "data": {"object": dict(subject)} | more,
        }
        self.events[event["id"]] = event
        self.webhooks.take(json.dumps(event).encode())

    def tell_events(self, id, query, headers):
        if id:
            mine = self.events.get(id)
            return Answer(200, mine) if mine else self.ask("GET", f"/v1/events/{id}", headers=headers)
        limit, after = int(query.pop("limit", 10)), query.pop("starting_after", None)
        query["limit"] = 100_000
        # What localstripe lists lies in the order in which it happened.
        found = self.ask("GET", f"/v1/events?{urllib.parse.urlencode(query)}", headers=headers)
        if found.status != 200:
            return found
        since = int(query.get("created[gte]", 0))
        mine = [
            event for event in self.events.values()
            if event["created"] >= since and event["type"] == query.get("type", event["type"])
        ]
        events = sorted(reversed(found.body["data"] + mine), key=lambda event: event["created"], reverse=True)
        names = [event["id"] for event in events]
        start = names.index(after) + 1 if after in names else 0
        page = {"data": events[start : start + limit], "has_more": len(events) > start + limit}
        return Answer(200, found.body | page)

    def take_meter_event(self, form):
        if not {"event_name", "payload[value]", "payload[stripe_customer_id]", "identifier"} <= form.keys():
            return error(400, "invalid_request_error", "Missing required param.", "parameter_missing")
        if form["identifier"] in self.meter_events:
            return error(400, "invalid_request_error", "There is an event with this identifier.")
        now = int(time.time())
        event = {
            "object": "billing.meter_event", "event_name": form["event_name"], "identifier": form["identifier"],
            "payload": {name: form[f"payload[{name}]"] for name in ("value", "stripe_customer_id")},
            "created": now, "timestamp": int(form.get("timestamp", now)), "livemode": False,
        }
        self.meter_events[form["identifier"]] = event
        return Answer(200, event)

    # localstripe

    def ask(self, method, path, form=(), headers=None):
        body = urllib.parse.urlencode(form) if form else None
        status, raw = self.localstripe(method, path, body, {
            "Authorization": (headers or {}).get("Authorization", ""),
            "Content-Type": "application/x-www-form-urlencoded"})
        try:
            told = json.loads(raw)
        except ValueError:
            # Where it meets a parameter that it does not know it breaks.
            return error(status, "api_error", raw.decode(errors="replace"))
        if status == 402:
            told["error"]["type"] = "card_error"
        complete(told)
        return Answer(status, told)

    def localstripe(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.localstripe_port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def complete(told):
    """Adds what Stripe says of its objects and localstripe does not."""
    for value in told.values() if isinstance(told, dict) else told if isinstance(told, list) else ():
        complete(value)
    if not isinstance(told, dict):
        return
    if told.get("object") == "payment_intent":
        told["amount_received"] = told["amount"] if told["status"] == "succeeded" else 0
    if told.get("object") == "subscription":
        told["canceled_at"] = told["canceled_at"] or told["ended_at"]
        if told["trial_period_days"] and told["status"] == "incomplete":
            told |= {"status": "trialing", "trial_end": told["created"] + told["trial_period_days"] * 86_400}


class Orders:
    """What another process may tell the proxy, and ask it: `POST` and `GET /_proxy/<name of the method>`."""

    def __init__(self, proxy):
        self.proxy = proxy

    def post_faults(self, faults):
        self.proxy.will(*(Fault(**fault) for fault in faults))

    def post_target(self, target):
        self.proxy.deliver_to(**target)

    def post_courses(self, courses):
        self.proxy.webhooks.will(*(Course(**course) for course in courses))

    def post_release(self, order):
        self.proxy.webhooks.release(order)

    def post_redeliver(self, ids):
        self.proxy.webhooks.redeliver(*ids)

    def post_dispute(self, order):
        self.proxy.dispute(**order)

    def post_reset(self, _):
        self.proxy.reset()

    def get_requests(self):
        return [dataclasses.asdict(request) for request in self.proxy.requests]

    def get_deliveries(self):
        return self.proxy.webhooks.deliveries

    def get_taken(self):
        return [json.loads(body) for body in self.proxy.webhooks.taken.values()]

    def get_meter_events(self):
        return list(self.proxy.meter_events.values())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/_proxy/webhook":
            self.server.webhooks.take(body, self.headers["Stripe-Signature"])
            return self.say(Answer(200, {}))
        if self.path.startswith("/_proxy/"):
            return self.obey(body)
        request = Request(self.command, self.path, self.headers["Idempotency-Key"], body.decode())
        answer = self.server.serve(request, self.headers)
        if answer is None:
            # A reset, not an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        answer.headers = answer.headers | {"Request-Id": f"req_{next(self.server.numbers)}"}
        self.say(answer)

    do_GET = do_POST = do_DELETE = handle_request

    def obey(self, body):
        name = f"{self.command.lower()}_{self.path.removeprefix('/_proxy/')}"
        order = getattr(Orders(self.server), name, None)
        if order is None:
            return self.say(Answer(404, {}))
        try:
            told = order(json.loads(body or "null")) if self.command == "POST" else order()
        except (TypeError, ValueError, KeyError) as reason:
            return self.say(Answer(400, {"reason": repr(reason)}))
        self.say(Answer(200, {} if told is None else told))

    def say(self, answer):
        body = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    StripeProxy(int(sys.argv[2]), int(sys.argv[1]))
    threading.Event().wait()
