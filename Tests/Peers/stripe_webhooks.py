"""The way of webhooks from localstripe, a second after what they are about, to whom they are for."""

import collections
import dataclasses
import hashlib
import hmac
import http.client
import json
import queue
import re
import threading
import time
import urllib.parse

COURSES = {"drop", "duplicate", "delay", "hold", "sign"}


@dataclasses.dataclass
class Course:
    """What becomes of the next `count` webhooks of that type on their way."""

    what: str
    count: int = 1
    type: str = ""
    times: int = 2
    """How often a duplicate comes."""
    seconds: float = 0
    """How long a delay is."""
    secret: str = None
    age: int = 0
    """How long ago it is said to be signed."""

    def __post_init__(self):
        if self.what not in COURSES:
            raise ValueError(f"{self.what} is none of {sorted(COURSES)}")

    def meets(self, event):
        return re.search(self.type, event["type"]) is not None


def signature(secret, body, at):
    return f"t={at},v1=" + hmac.new(secret.encode(), b"%d.%s" % (at, body), hashlib.sha256).hexdigest()


class Webhooks:
    """One leaves after the other."""

    def __init__(self):
        self.lock = threading.Lock()
        self.target = None
        self.queue = queue.Queue()
        self.forget()
        threading.Thread(target=self.run, daemon=True).start()

    def forget(self):
        self.courses, self.held = [], []
        self.taken = collections.OrderedDict()
        """What came from localstripe or was made here, by its identifier."""
        self.deliveries = []
        """What was sent, and how it was answered."""

    def stop(self):
        self.queue.put(None)

    def deliver_to(self, url, secret, retries, pause):
        self.target = (url, secret, retries, pause)

    def will(self, *courses):
        with self.lock:
            self.courses += courses

    def take(self, body, signed=None):
        event = json.loads(body)
        with self.lock:
            self.taken[event["id"]] = body
            course = next((course for course in self.courses if course.meets(event)), None)
            if course:
                course.count -= 1
                self.courses = [left for left in self.courses if left.count > 0]
            if course and course.what == "hold":
                self.held.append(event["id"])
        if course is None:
            self.queue.put((event["id"], signed))
        elif course.what == "duplicate":
            for _ in range(course.times):
                self.queue.put((event["id"], signed))
        elif course.what == "delay":
            threading.Timer(course.seconds, self.queue.put, [(event["id"], signed)]).start()
        elif course.what == "sign":
            secret = course.secret if course.secret is not None else self.target[1]
            self.queue.put((event["id"], signature(secret, body, int(time.time()) - course.age)))

    def release(self, order="same"):
        """Sends what was held: in the order in which it came, `reversed`, or that of a list of identifiers."""
        with self.lock:
            held, self.held = self.held, []
        ordered = order if isinstance(order, list) else held[::-1] if order == "reversed" else held
        self.redeliver(*ordered)

    def redeliver(self, *ids):
        """Sends them again, signed anew."""
        for id in ids:
            if id not in self.taken:
                raise KeyError(id)
            self.queue.put((id, None))

    def run(self):
        while (item := self.queue.get()) is not None:
            if self.target:
                id, signed = item
                self.deliver(id, signed, *self.target)

    def deliver(self, id, signed, url, secret, retries, pause):
        body = self.taken.get(id)
        if body is None:
            return
        for _ in range(retries + 1):
            status = self.send(body, signed or signature(secret, body, int(time.time())), url)
            with self.lock:
                self.deliveries.append({"id": id, "type": json.loads(body)["type"], "status": status})
            if status and status < 300:
                return
            time.sleep(pause)
            signed = None

    @staticmethod
    def send(body, signed, url):
        place = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
        try:
            connection.request("POST", place.path or "/", body, {
                "Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signed})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
