"""What the dialects share."""

import json


def packed(value):
    """JSON as most providers write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def data(value):
    """An event without a name."""
    return b"data: " + packed(value) + b"\n\n"


def event(name, value):
    return b"event: " + name.encode() + b"\n" + data(value)


class Refused(Exception):
    """The request is not as the provider wants it."""

    def __init__(self, message, status=400):
        super().__init__(message)
        self.status = status


def only(body, *names):
    """Providers refuse fields that they do not know."""
    unknown = set(body) - set(names)
    if unknown:
        raise Refused(f"unknown fields: {', '.join(sorted(unknown))}")


def wanted(body, *names):
    for name in names:
        if body.get(name) in (None, "", []):
            raise Refused(f"{name} is required")
