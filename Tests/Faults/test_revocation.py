"""A key that one gateway revokes is refused by another on the very next request."""

import contextlib
import http.client
import json
import subprocess

from conftest import Gateway, free_port, wait_until
from two_gateways import Databases

REVOCATIONS = 1000


class Client:
    """One kept connection to a gateway."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def call(self, method, path, body=None, credential=None):
        headers = {"Content-Type": "application/json"} if body else {}
        if credential:
            headers["Authorization"] = f"Bearer {credential}"
        self.connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None

    def close(self):
        self.connection.close()


class Installation:
    def __init__(self, resources, *redis_commands):
        databases = Databases()
        resources.callback(databases.remove)
        databases.start()
        self.redis_port = databases.redis_port
        for command in redis_commands:
            assert self.redis(*command) == "OK"
        environment = databases.environment | {"HIVEGATE_KEY_PEPPERS": f"1:{'p' * 40}"}
        self.gateways = [Gateway(environment | {"PORT": str(free_port())}) for _ in range(2)]
        for gateway in self.gateways:
            resources.callback(gateway.remove)
            gateway.start(wait=False)
        for gateway in self.gateways:
            gateway.credentials = {"HIVEGATE_URL": f"http://127.0.0.1:{gateway.environment['PORT']}"}
            wait_until(lambda: gateway.status("/readyz") == 200, what="readiness")
        self.clients = [Client(gateway.port) for gateway in self.gateways]
        for client in self.clients:
            resources.callback(client.close)
        self.owner = self.make_organization(environment)

    def make_organization(self, environment):
        made = subprocess.run(
            [self.gateways[0].program, "org", "create", "Acme", "--owner", "ann@acme.example"],
            env={"PATH": "/usr/bin:/bin"} | environment,
            check=True,
            capture_output=True,
            text=True,
            cwd="/",
        )
        values = dict(line.split("=", 1) for line in made.stdout.splitlines())
        return {"email": values["HIVEGATE_OWNER_EMAIL"], "password": values["HIVEGATE_OWNER_PASSWORD"]}

    def redis(self, *arguments):
        command = ["redis-cli", "-p", str(self.redis_port), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def listeners(self):
        return int(self.redis("PUBSUB", "NUMSUB", "hg:keys").splitlines()[1])

    def revoke_and_ask(self):
        """Makes, uses and revokes keys at the first gateway; each is used at the second before and after."""
        first, second = self.clients
        status, session = first.call("POST", "/api/auth/login", self.owner)
        assert status == 200
        token = session["access_token"]
        for number in range(REVOCATIONS):
            wanted = {"name": f"key {number}", "scopes": ["inference"]}
            status, made = first.call("POST", "/api/auth/api-keys", wanted, token)
            assert status == 201
            for client in self.clients:
                assert client.call("GET", "/v1/models", credential=made["key"])[0] == 200
            assert first.call("DELETE", f"/api/auth/api-keys/{made['id']}", credential=token)[0] == 204
            assert second.call("GET", "/v1/models", credential=made["key"])[0] == 401, f"revocation {number}"
            assert first.call("GET", "/v1/models", credential=made["key"])[0] == 401, f"revocation {number}"


def test_a_thousand_revoked_keys_are_refused_at_once():
    with contextlib.ExitStack() as resources:
        installation = Installation(resources)
        wait_until(lambda: installation.listeners() == 2, what="the gateways' subscriptions")
        installation.revoke_and_ask()


def test_a_thousand_revoked_keys_are_refused_at_once_also_where_nobody_may_subscribe():
    with contextlib.ExitStack() as resources:
        installation = Installation(resources, ("ACL", "SETUSER", "default", "-subscribe", "-psubscribe"))
        installation.revoke_and_ask()
        assert installation.listeners() == 0
