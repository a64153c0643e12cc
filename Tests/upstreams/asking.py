"""Asking a gateway without a client's help."""

import json
import time
import urllib.error
import urllib.request


def post(gateway, path, body, fields=None):
    """The status, the header fields and the body of the answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Type": "application/json"} | (fields or {"Authorization": f"Bearer {gateway.key}"})
    request = urllib.request.Request(gateway.url + path, data=data, headers=fields)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def make_well(gateway, provider, successes=12):
    """Asks until the gateway has forgotten what went wrong there: its breaker counts shares, and keys rest."""
    if not provider.chat:
        return
    body = {"model": provider.model, "messages": [{"role": "user", "content": "x"}]}
    deadline = time.monotonic() + 20
    while successes > 0:
        assert time.monotonic() < deadline, f"{provider.name} stays away"
        if post(gateway, "/v1/chat/completions", body)[0] == 200:
            successes -= 1
        else:
            time.sleep(0.1)
