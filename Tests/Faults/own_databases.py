"""A gateway with databases of its own: its API, its commands, its PostgreSQL and its Redis."""

import http.client
import json
import os
import subprocess
from collections import namedtuple

from conftest import ROOT

Answer = namedtuple("Answer", "status headers body")


def call(gateway, method, path, body=None, token=None, headers=None, timeout=30):
    """One request. `body` is sent as JSON, or as it is if it is bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=timeout)
    try:
        fields = dict(headers or {})
        if token:
            fields["Authorization"] = f"Bearer {token}"
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()


def ask(gateway, method, path, body=None, token=None, status=200, headers=None):
    """The JSON of an answer that has to have this status."""
    answer = call(gateway, method, path, body, token, headers)
    assert answer.status == status, (method, path, answer.status, answer.body)
    return json.loads(answer.body) if answer.body else None


def sign_in(gateway, email=None, password=None, **more):
    """The owner of the local organization, or somebody else."""
    email = email or gateway.credentials["HIVEGATE_OWNER_EMAIL"]
    password = password or gateway.credentials["HIVEGATE_OWNER_PASSWORD"]
    return ask(gateway, "POST", "/api/auth/login", {"email": email, "password": password} | more)


def command(gateway, *arguments):
    """The program beside the one that serves: code, output and errors."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [gateway.program, *arguments],
        env=keep | {"HIVEGATE_DATA": gateway.data} | gateway.environment,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )
    return done.returncode, done.stdout, done.stderr


def mailed_token(gateway, email):
    """Of the newest mail to somebody."""
    code, output, errors = command(gateway, "outbox", "--to", email)
    assert code == 0, errors
    tokens = [line.split("token=")[1].strip() for line in output.splitlines() if "token=" in line]
    assert tokens, f"no link in the mails to {email}:\n{output}"
    return tokens[-1]


def psql(gateway, *statements):
    """As the superuser, who may do everything."""
    words = [word for statement in statements for word in ("-c", statement)]
    return run_client(gateway, "psql", "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-qAt", *words).decode().strip()


def dump(gateway):
    """The whole database as text."""
    return run_client(gateway, "pg_dump", "--inserts", "--quote-all-identifiers")


def run_client(gateway, program, *arguments):
    done = subprocess.run(
        [program, "-h", f"{gateway.data}/run", "-U", "hivegate", "-d", "hivegate", *arguments], capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def redis(gateway, *arguments):
    done = subprocess.run(
        ["redis-cli", "-s", f"{gateway.data}/run/redis.sock", "--raw", *arguments], capture_output=True, check=True
    )
    return done.stdout
