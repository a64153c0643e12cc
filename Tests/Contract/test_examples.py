"""Every example of the document is what its schema says, and does what the document says.

Operations are not parameters of the tests: which there are is known only when a gateway runs."""

import json

import openapi_spec_validator

from contract import api, validate  # noqa: F401: a fixture


def described_examples(operation):
    """(what it is, schema, example) of everything that an operation takes and gives as JSON."""
    places = {"body": operation.described.get("requestBody", {})}
    places |= {status: operation.answer(status) for status in operation.described["responses"]}
    for name, place in places.items():
        described = place.get("content", {}).get("application/json")
        if described and "example" in described:
            yield described["schema"], described["example"]
    for parameter in operation.described.get("parameters", []):
        if "example" in parameter:
            yield parameter["schema"], parameter["example"]


def call(api, operation, headers):
    """Calls an operation with its examples."""
    body = operation.example_body()
    if body is not None:
        headers = headers | {"Content-Type": "application/json"}
    return api.send(operation.method, operation.example_target(), headers, body and json.dumps(body))


def test_the_document_is_one_of_openapi(api):
    openapi_spec_validator.validate(api.document)


def test_every_example_is_what_its_schema_says(api):
    examples = [example for operation in api.operations for example in described_examples(operation)]
    assert len(examples) >= len(api.operations) / 2
    for schema, example in examples:
        validate(api.document, schema, example)


def test_every_example_is_answered_as_the_document_says(api):
    # Those that end a session come last: one may end more than its own.
    for operation in sorted(api.operations, key=lambda each: each.ends_session):
        headers = api.credentials(operation)
        answer = call(api, operation, headers)
        operation.check(answer)
        # 422 may also mean that what it is about is not there: a code that has expired.
        assert answer.status not in (400, 415), f"{operation.name} refuses its example: {answer.body!r}"
        assert b'"invalid_fields"' not in answer.body, f"{operation.name} refuses its example: {answer.body!r}"
        # Where nobody can sign in yet, there is no credential to show.
        if headers:
            assert answer.status != 401, f"{operation.name} does not know its caller: {answer.body!r}"


def test_an_operation_that_asks_for_a_credential_is_for_nobody_without_one(api):
    for operation in api.operations:
        if not operation.schemes:
            continue
        for headers in ({}, {"Authorization": "Bearer none"}, {"Cookie": "__Host-hivegate=none"}):
            answer = call(api, operation, headers)
            assert answer.status == 401, f"{operation.name} is open: {answer.status}"
            operation.check(answer)
            assert answer.headers["www-authenticate"] == "Bearer"


def test_the_example_of_a_chat_is_a_chat(api):
    operation = api.find("POST", "/v1/chat/completions")
    answer = call(api, operation, api.credentials(operation))
    assert answer.status == 200
    assert answer.json()["choices"][0]["message"]["content"]
