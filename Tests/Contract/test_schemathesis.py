"""schemathesis tries to find a request that is not answered as /openapi.json says: examples, the bounds of every
field, and made-up requests, some as they should be and some not.

FULL=1 tries ten times as many; SEED=n repeats what another run tried (the seed is in its output)."""

import json
import os
import pathlib
import secrets
import subprocess
import sys

from contract import api  # noqa: F401: a fixture

FULL = os.environ.get("FULL") == "1"
SEED = os.environ.get("SEED") or (str(secrets.randbelow(2**31)) if FULL else "20261121")
EXAMPLES = "250" if FULL else "25"
LIMIT = 3600 if FULL else 1200
# How much of a line is shown: a made-up request can fill a screen.
WIDTH = 1000

# All checks are on, but for what is said here.
SETTINGS = """
[generation]
# Every generated request is kept apart from the next run's.
database = "none"

[phases.coverage]
# Not TRACE and QUERY: a method that no address knows is 501 (RFC 9110, 15.6.2), and so it is here.
unexpected-methods = ["GET", "PUT", "POST", "DELETE", "PATCH"]

[checks.negative_data_rejection]
# With those that refuse what is too large before anybody looks at it.
expected-statuses = [400, 401, 403, 404, 405, 409, 413, 414, 415, 422, 428, 429, 431]

[checks.positive_data_acceptance]
# What is as described may still be about nothing that there is, clash with what there is, come too often, or not be
# for this caller. It is never malformed; the check in hooks.py tells the one 422 from the other.
expected-statuses = ["2xx", "3xx", 401, 402, 403, 404, 409, 410, 422, 429]
"""


def settings(api):
    """The settings, with credentials by the names that the document has for them; their values are in the
    environment, not in the file. Operations that would end the session are left out: test_examples calls them. So is the
    one that asks an identity provider: the one that was made up does not answer, and 502 says so (Tests/Peers); and the
    one that opens a socket, which is not asked for by a request as these are (Tests/Clients)."""
    text = SETTINGS + '\n[auth.openapi.bearerKey]\nbearer = "${HIVEGATE_KEY}"\n'
    if api.session is not None:
        text += '\n[auth.openapi.bearerSession]\nbearer = "${HIVEGATE_SESSION}"\n'
    left_out = ["beginSingleSignOn", "openChatSocket"] + [operation.name for operation in api.operations if operation.ends_session]
    text += f"\n[[operations]]\ninclude-operation-id = {json.dumps(left_out)}\nenabled = false\n"
    # Their bodies are in the dialects of others, described as far as clients need to know: what a model makes of the
    # rest is not in the document, and who is asked decides.
    dialects = [operation.name for operation in api.operations if operation.path.startswith("/v1/") and operation.method == "POST"]
    text += f"\n[[operations]]\ninclude-operation-id = {json.dumps(dialects)}\n"
    text += "checks.negative_data_rejection.enabled = false\n"
    accepted = 'checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 402, 403, 404, 422, 429]\n'
    text += accepted
    # Of our own shape, and what is wrong with it is found; but a model may be named that is for something else.
    text += f'\n[[operations]]\ninclude-operation-id = ["generate"]\n{accepted}'
    return text


def test_no_request_is_answered_otherwise_than_the_document_says(api, tmp_path):
    file = tmp_path / "schemathesis.toml"
    file.write_text(settings(api))
    environment = os.environ | {
        "HIVEGATE_KEY": api.key,
        "HIVEGATE_SESSION": api.session or "",
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(pathlib.Path(__file__).parent),
    }
    run = subprocess.run(
        [
            pathlib.Path(sys.executable).parent / "schemathesis",
            "--config-file",
            file,
            "run",
            f"{api.gateway.url}/openapi.json",
            # An answer that does not end by itself; the others are told of, and tested elsewhere.
            "--exclude-path=/api/v1/events",
            f"--max-examples={EXAMPLES}",
            f"--seed={SEED}",
            "--no-color",
        ],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
    )
    output = "\n".join(line[:WIDTH] for line in run.stdout.splitlines())
    print(output)
    assert run.returncode == 0, f"seed {SEED}; see the output"
    # It has tried something, and the gateway has not fallen over.
    assert "Tested:" in output
    assert api.gateway.status("/livez") == 200
