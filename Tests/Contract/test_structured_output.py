"""Whether an answer fits a schema is for the gateway what it is for jsonschema, over made-up schemas and values; and
what the sandbox answers fits.

SEED=n repeats what another run tried (the seed is in its output)."""

import http.client
import http.server
import json
import os
import random
import secrets
import threading

import jsonschema
import pytest

from conftest import Gateway

SEED = int(os.environ.get("SEED") or secrets.randbelow(2**31))
CASES = 2000 if os.environ.get("FULL") == "1" else 400


class Parrot(http.server.BaseHTTPRequestHandler):
    """A model that says what was said to it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        message = {"role": "assistant", "content": request["messages"][-1]["content"]}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = json.dumps({"id": "x", "object": "chat.completion", "choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def parrot():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    gateway = Gateway({"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": url}).start()
    yield gateway
    gateway.remove()
    server.shutdown()


class Generator:
    """Schemas and values over a few names, so that they have something to do with each other."""

    NAMES = ["a", "b", "é", "a/b"]
    TEXTS = ["", "a", "ab", "abc", "é", "💩💩", "2026-11-21", "a b"]
    PATTERNS = ["^a", "b$", "^[a-z]{2,3}$", "[0-9]{4}-[0-9]{2}", "(ab)?c|^$", "^.$"]
    TYPES = ["null", "boolean", "object", "array", "number", "string", "integer"]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def value(self, depth=0):
        kind = self.random.randrange(7 if depth < 3 else 5)
        if kind == 0:
            return self.random.choice([None, True, False])
        if kind in (1, 2):
            return self.random.choice([0, 1, 2, 3, 10, -1, 1.0, 1.5, -2.5, 1e3, 12345678901234567890])
        if kind in (3, 4):
            return self.random.choice(self.TEXTS)
        if kind == 5:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        return {name: self.value(depth + 1) for name in self.NAMES if self.chance(45)}

    def schema(self, depth=0):
        if self.chance(8):
            return self.random.choice([True, False, {}])
        schema = {}
        if self.chance(55):
            types = self.random.sample(self.TYPES, self.random.randrange(1, 4))
            schema["type"] = types[0] if len(types) == 1 else types
        for keyword in self.random.sample(self.KEYWORDS, self.random.randrange(0, 4)):
            made = getattr(self, "make_" + keyword.replace("$", ""))(depth)
            if made is not None:
                schema[keyword] = made
        return schema

    KEYWORDS = (
        "enum const properties required additionalProperties patternProperties propertyNames minProperties maxProperties "
        "dependentRequired items prefixItems contains minItems maxItems uniqueItems minimum maximum exclusiveMinimum "
        "exclusiveMaximum multipleOf minLength maxLength pattern anyOf oneOf allOf not if then else $ref"
    ).split()

    def make_enum(self, _):
        return [self.value(2) for _ in range(self.random.randrange(1, 4))]

    def make_const(self, _):
        return self.value(2)

    def inner(self, depth):
        return self.schema(depth + 1) if depth < 3 else {}

    def several(self, depth):
        return [self.inner(depth) for _ in range(self.random.randrange(1, 4))] if depth < 3 else None

    def make_properties(self, depth):
        return {name: self.inner(depth) for name in self.NAMES if self.chance(50)}

    def make_patternProperties(self, depth):
        return {self.random.choice(["^a", "b$", "."]): self.inner(depth)}

    def make_required(self, _):
        return [name for name in self.NAMES if self.chance(40)]

    def make_dependentRequired(self, _):
        return {self.random.choice(self.NAMES): self.make_required(0)}

    def make_count(self, _):
        return self.random.randrange(4)

    def make_number(self, _):
        return self.random.choice([0, 1, 2, 1.5, -1, 10])

    def make_multipleOf(self, _):
        return self.random.choice([1, 2, 3, 0.5, 1.25])

    def make_uniqueItems(self, _):
        return self.chance(80)

    def make_pattern(self, _):
        return self.random.choice(self.PATTERNS)

    def make_ref(self, _):
        return "#/$defs/node"

    make_additionalProperties = make_propertyNames = make_items = make_contains = inner
    make_not = make_if = make_then = make_else = inner
    make_prefixItems = make_anyOf = make_oneOf = make_allOf = several
    make_minProperties = make_maxProperties = make_minItems = make_maxItems = make_count
    make_minLength = make_maxLength = make_count
    make_minimum = make_maximum = make_exclusiveMinimum = make_exclusiveMaximum = make_number

    def whole(self):
        """With a definition that recurs through its properties."""
        schema = self.schema()
        if not isinstance(schema, dict):
            schema = {"not": {}} if schema is False else {}
        node = {"type": ["object", "integer", "null"], "properties": {"a": {"$ref": "#/$defs/node"}}}
        return schema | {"$defs": {"node": node}}


class Asker:
    def __init__(self, gateway):
        self.connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
        self.headers = {"Authorization": f"Bearer {gateway.key}", "Content-Type": "application/json"}

    def ask(self, model, prompt, schema):
        body = {"model": model, "prompt": prompt, "schema": schema, "repair": False}
        self.connection.request("POST", "/api/v1/generate", json.dumps(body), self.headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


def test_what_fits_a_schema_fits_it_for_jsonschema_too(parrot):
    print(f"seed {SEED}")
    generator = Generator(SEED)
    asker = Asker(parrot)
    fitting = 0
    for number in range(CASES):
        schema, value = generator.whole(), generator.value()
        expected = jsonschema.Draft202012Validator(schema).is_valid(value)
        status, answer = asker.ask("openai/parrot", json.dumps(value), schema)
        assert status == (200 if expected else 502), f"seed {SEED}, case {number}: {schema} {value} {answer}"
        if expected:
            fitting += 1
            assert answer["output"] == value
        else:
            assert answer["error"]["code"] == "invalid_output" and answer["output_faults"]
    # Both happen, and often.
    assert CASES / 10 < fitting < CASES * 9 / 10


def test_what_the_sandbox_says_fits_for_jsonschema_too(parrot):
    print(f"seed {SEED}")
    generator = Generator(SEED)
    asker = Asker(parrot)
    made = 0
    for number in range(CASES):
        schema = generator.whole()
        status, answer = asker.ask("sandbox/echo", "hello", schema)
        if status == 422:
            assert answer["error"]["code"] == "sandbox_misfit", f"seed {SEED}, case {number}: {answer}"
            continue
        assert status == 200, f"seed {SEED}, case {number}: {schema} {answer}"
        made += 1
        jsonschema.Draft202012Validator(schema).validate(answer["output"])
    assert made > CASES / 3
