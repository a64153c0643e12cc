"""Organizations with limits, made as an operator makes them: by the program's command and by its API."""

import http.client
import json
import os
import subprocess
import time
import uuid

# As much as can be said: everything is counted, and nothing refused.
ENOUGH = 100_000_000_000
# In nano-dollars: a million dollars.
ENOUGH_MONEY = 10**15


class LimitedOrganization:
    """An organization of its own, so that the others of the same databases stay without limits."""

    def __init__(self, program, owner, name, limits):
        """`owner` is a server with databases of its own; `limits` are what its operator says of each kind of subject."""
        self.key = made(program, owner, name)
        self.id = ask(owner.port, "GET", "/api/v1/limits", token=self.key)["organization_id"]
        credentials = owner.credentials
        session = ask(owner.port, "POST", "/api/auth/login", {
            "email": credentials["HIVEGATE_OWNER_EMAIL"], "password": credentials["HIVEGATE_OWNER_PASSWORD"]})
        ask(owner.port, "PUT", f"/api/v1/admin/organizations/{self.id}/limits", {"overrides": limits},
            session["access_token"])
        held = ask(owner.port, "GET", "/api/v1/limits", token=self.key)["limits"]
        if len(held) != sum(map(len, limits.values())):
            raise SystemExit(f"other limits hold than were set: {held}")
        self.owner = owner

    def add_wallet(self):
        """From which more can be paid than is asked for, as whoever has the database enters it."""
        self.sql(
            "INSERT INTO money_limits (id, org_id, kind, subject, cap_nano) "
            f"VALUES ('{uuid.uuid4()}', '{self.id}', 'wallet', 'organization', {ENOUGH_MONEY})")

    def check_that_it_paid_for(self, count):
        """So many calls, as soon as they have come into the books."""
        deadline = time.monotonic() + 10
        while (paid := self.sql(
                f"SELECT count(*) FROM usage_events WHERE org_id = '{self.id}' AND charge_nano > 0")) != str(count):
            if time.monotonic() > deadline:
                raise SystemExit(f"of {count} calls {paid} were charged")
            time.sleep(0.1)

    def sql(self, statement):
        return subprocess.run(
            ["psql", "-v", "ON_ERROR_STOP=1", "-qAt", "-h", f"{self.owner.data}/run", "-U", "hivegate",
             "-d", "hivegate", "-c", statement], check=True, capture_output=True, text=True).stdout.strip()


def made(program, owner, name):
    """Its key."""
    kept = {variable: os.environ[variable] for variable in ("PATH", "HOME") if variable in os.environ}
    done = subprocess.run(
        [program, "org", "create", name, "--owner", f"{name}@example.com"],
        env=kept | {"HIVEGATE_DATA": str(owner.data)} | owner.databases(), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"no organization can be made: {done.stdout}{done.stderr}")
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)["HIVEGATE_API_KEY"]


def ask(port, method, path, body=None, token=None):
    """The JSON of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    fields = {"Content-Type": "application/json"} if body is not None else {}
    if token:
        fields["Authorization"] = f"Bearer {token}"
    connection.request(method, path, json.dumps(body) if body is not None else None, fields)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{method} {path} gets {answer.status}: {text.decode()}")
    return json.loads(text)
