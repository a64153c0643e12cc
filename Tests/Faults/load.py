"""A small, steady load that notes how every request ended."""

import http.client
import json
import secrets
import string
import threading
import time
import zlib

from conftest import wait_until

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase


def unknown_key():
    """A key whose checksum is right, so that only the database can say that it is nobody's."""
    body = "hg_live_" + "".join(secrets.choice(ALPHABET) for _ in range(30))
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        digits = ALPHABET[digit] + digits
    return body + digits


def ask(port, key, content="hello", model="sandbox/echo", timeout=20):
    """The status of one completion."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": content}]})
        connection.request("POST", "/v1/chat/completions", body, {"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def wait_for_more(results, count):
    """Returns when that many more results are there, however long the machine needs for them."""
    enough = len(results) + count
    wait_until(lambda: len(results) >= enough, limit=60, what=f"the next {count} requests")


class Load:
    """Threads that ask again and again until told to stop; `results` holds (end, duration, status or error)."""

    def __init__(self, port, key, threads=4):
        self.results = []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(port, key)) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self, port, key):
        while not self.stopping.is_set():
            start = time.monotonic()
            try:
                outcome = ask(port, key() if callable(key) else key)
            except OSError as error:
                outcome = repr(error)
            self.results.append((time.monotonic(), time.monotonic() - start, outcome))
            time.sleep(0.002)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a request hangs"
        return self.results
