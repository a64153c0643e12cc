"""What a gateway says of itself in /openapi.json, and how to do what it says."""

import functools
import http.client
import json
import urllib.parse

import jsonschema
import pytest

from conftest import Gateway

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
SIGN_IN = "/api/auth/login"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.media_type = self.headers.get("content-type", "").split(";")[0].strip().lower()
        # Of what goes on for as long as somebody listens its beginning.
        self.body = response.read1() if self.media_type == "text/event-stream" else response.read()

    def json(self):
        return json.loads(self.body)


class Operation:
    """One operation of the document."""

    def __init__(self, document, path, method, described):
        self.document = document
        self.path = path
        self.method = method.upper()
        self.described = described
        self.name = described["operationId"]
        self.ends_session = described.get("x-hivegate-ends-session", False)
        # The security schemes of which one is enough; none where anybody may call.
        self.schemes = [name for requirement in described["security"] for name in requirement]

    def parameters(self, place):
        return [each for each in self.described.get("parameters", []) if each["in"] == place]

    def example_target(self):
        """The path with the examples of its parameters, and the query that is needed."""
        path = self.path
        for parameter in self.parameters("path"):
            value = urllib.parse.quote(parameter["example"], safe="")
            path = path.replace("{" + parameter["name"] + "}", value)
        query = {each["name"]: each["example"] for each in self.parameters("query") if "example" in each}
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def example_body(self):
        content = self.described.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("example")

    def answer(self, status):
        """The description of an answer of this status; the one of all others where it has none."""
        answers = self.described["responses"]
        found = answers.get(str(status), answers["default"])
        while "$ref" in found:
            found = resolve(self.document, found["$ref"])
        return found

    def check(self, answer):
        """Whether an answer is as it is described."""
        assert answer.status < 500, f"{self.name} fails: {answer.status} {answer.body[:500]!r}"
        content = self.answer(answer.status).get("content")
        if not content:
            assert not answer.body, f"{self.name} answers {answer.status} with a body, which is not described"
            return
        assert answer.media_type in content, f"{self.name} answers {answer.status} as {answer.media_type!r}"
        if answer.media_type == "application/json":
            validate(self.document, content[answer.media_type]["schema"], answer.json())


class API:
    """A gateway, by its document."""

    def __init__(self, gateway):
        self.gateway = gateway
        answer = self.send("GET", "/openapi.json")
        assert answer.status == 200
        self.document = answer.json()
        self.operations = [
            Operation(self.document, path, method, described)
            for path, methods in self.document["paths"].items()
            for method, described in methods.items()
            if method in METHODS
        ]

    def send(self, method, target, headers=None, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=60)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    # Credentials

    def sign_in(self):
        """The access token of a new session of the owner; None where nobody can sign in."""
        operation = self.find("POST", SIGN_IN)
        if operation is None:
            return None
        body = operation.example_body() | {
            "email": self.gateway.credentials["HIVEGATE_OWNER_EMAIL"],
            "password": self.gateway.credentials["HIVEGATE_OWNER_PASSWORD"],
        }
        answer = self.send("POST", SIGN_IN, {"Content-Type": "application/json"}, json.dumps(body))
        assert answer.status == 200, f"the owner cannot sign in: {answer.status} {answer.body!r}"
        return answer.json()["access_token"]

    @functools.cached_property
    def session(self):
        return self.sign_in()

    @functools.cached_property
    def key(self):
        """A key of the owner's that may do all that a key may."""
        headers = {"Authorization": f"Bearer {self.session}", "Content-Type": "application/json"}
        body = json.dumps({"name": "contract", "scopes": ["inference", "read", "admin"]})
        answer = self.send("POST", "/api/auth/api-keys", headers, body)
        assert answer.status == 201, f"the owner gets no key: {answer.status} {answer.body!r}"
        return answer.json()["key"]

    def credentials(self, operation):
        """The fields by which the owner may call an operation. A session, where one counts: it may do the most. One
        that ends its session gets one of its own."""
        if "bearerSession" in operation.schemes:
            token = self.sign_in() if operation.ends_session else self.session
            if token is not None:
                return {"Authorization": f"Bearer {token}"}
        if "bearerKey" in operation.schemes:
            return {"Authorization": f"Bearer {self.key}"}
        return {}

    def find(self, method, path):
        return next((each for each in self.operations if (each.method, each.path) == (method, path)), None)


def resolve(document, reference):
    assert reference.startswith("#/")
    found = document
    for step in reference[2:].split("/"):
        found = found[step]
    return found


def validate(document, schema, value):
    whole = schema | {"components": document["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


@pytest.fixture(scope="module")
def api():
    """A gateway that nobody else uses: what these tests do to its organization stays there."""
    gateway = Gateway().start()
    yield API(gateway)
    gateway.remove()
