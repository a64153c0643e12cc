"""The master key is rotated as `hivegate rewrap --help` says, while people are at work."""

import base64
import itertools
import json
import os
import pathlib
import secrets
import threading

from load import Load, wait_for_more
from own_databases import ask, call, command, mailed_token, psql, sign_in

CREDENTIALS = 300
TABLES = ("instance_secrets", "signing_keys", "totp_devices", "mail_outbox", "sso_connections", "provider_credentials", "budgets")


def new_line(version):
    return f"{version}:{base64.b64encode(os.urandom(32)).decode()}\n"


def write(path, text):
    """As its owner would: the file may not be written in place."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.chmod(0o400)
    draft.replace(path)


def counts_under(gateway, version):
    """Secrets under that master key, by table."""
    counts = {}
    for table in TABLES:
        counts[table] = int(psql(gateway, f"SELECT count(*) FROM {table} WHERE master_version = {version}"))
    return counts


def rewrapped(output):
    """What the command says of each table."""
    lines = (line.split(": ") for line in output.splitlines())
    return {table: int(text.split()[0]) for table, text in lines}


class People:
    """Threads that make, change, read and delete credentials, sign in and refresh their tokens."""

    def __init__(self, gateway, token, threads=4):
        self.gateway, self.token = gateway, token
        self.outcomes = []
        self.stopping = threading.Event()
        self.numbers = itertools.count()
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        session = None
        while not self.stopping.is_set():
            if number == 0:
                session = self.keep_signed_in(session)
            else:
                self.use_credentials()

    def note(self, method, path, body=None, token=None):
        try:
            answer = call(self.gateway, method, path, body, token)
        except OSError as error:
            self.outcomes.append((method, path, repr(error)))
            return None
        self.outcomes.append((method, path.split("/")[-1][:8], answer.status))
        return answer

    def keep_signed_in(self, session):
        if session:
            answer = self.note("POST", "/api/auth/refresh", {"refresh_token": session["refresh_token"]})
            return json.loads(answer.body) if answer and answer.status == 200 else None
        return sign_in(self.gateway)

    def use_credentials(self):
        body = {"provider": "openai", "name": f"n{next(self.numbers)}", "api_key": secrets.token_hex(16)}
        made = self.note("POST", "/api/v1/credentials", body, self.token)
        if made is None or made.status != 201:
            return
        path = f"/api/v1/credentials/{json.loads(made.body)['id']}"
        self.note("PATCH", path, {"api_key": secrets.token_hex(16)}, self.token)
        self.note("GET", path, token=self.token)
        self.note("DELETE", path, token=self.token)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a request hangs"
        return self.outcomes


def test_the_master_key_is_rotated_at_work_and_the_old_one_is_needed_no_more(make_gateway):
    gateway = make_gateway().start()
    file = pathlib.Path(gateway.data, "master-key")
    owner = gateway.credentials["HIVEGATE_OWNER_EMAIL"]
    session = sign_in(gateway)
    for number in range(CREDENTIALS):
        body = {"provider": "openai", "name": f"kept {number}", "api_key": secrets.token_hex(16)}
        ask(gateway, "POST", "/api/v1/credentials", body, session["access_token"], status=201)
    budget = {
        "name": "all", "subject": "organization", "period": "month", "amount": {"usd": "5"},
        "webhook_url": "https://hooks.example.com/budget"}
    ask(gateway, "POST", "/api/v1/budgets", budget, session["access_token"], status=201)
    ask(gateway, "POST", "/api/auth/totp", token=session["access_token"])
    ask(gateway, "POST", "/api/auth/password/forgot", {"email": owner}, status=202)
    before = counts_under(gateway, 1)
    assert before["provider_credentials"] == CREDENTIALS
    assert all(count > 0 for table, count in before.items() if table != "sso_connections")

    # A line with a higher version, and a restart.
    old = file.read_text()
    new = new_line(2)
    write(file, old + new)
    assert gateway.stop() == 0
    gateway.start()
    assert counts_under(gateway, 1) == before

    people = People(gateway, session["access_token"])
    load = Load(gateway.port, gateway.key)
    wait_for_more(people.outcomes, 50)
    wait_for_more(load.results, 50)
    code, output, errors = command(gateway, "rewrap")
    wait_for_more(people.outcomes, 50)
    wait_for_more(load.results, 50)
    outcomes, completions = people.stop(), load.stop()
    assert code == 0, errors
    assert [each for each in outcomes if each[2] not in (200, 201, 204)] == []
    assert {status for _, _, status in completions} == {200}
    # Some of what was there was under the new key by itself: what was changed meanwhile.
    assert rewrapped(output) == before
    assert sum(counts_under(gateway, 1).values()) == 0
    assert set(rewrapped(command(gateway, "rewrap")[1]).values()) == {0}

    # The old line goes.
    write(file, new)
    assert gateway.stop() == 0
    gateway.start()
    # The token from before was signed under a key that was sealed under the old one.
    token = session["access_token"]
    kept = ask(gateway, "GET", "/api/v1/credentials", token=token)["data"]
    assert len(kept) == CREDENTIALS
    changed = {"api_key": secrets.token_hex(16)}
    ask(gateway, "PATCH", f"/api/v1/credentials/{kept[0]['id']}", changed, token)
    sign_in(gateway)
    ask(gateway, "POST", "/api/auth/refresh", {"refresh_token": session["refresh_token"]})
    reset = {"token": mailed_token(gateway, owner), "password": "a password of today"}
    ask(gateway, "POST", "/api/auth/password/reset", reset, status=204)
    sign_in(gateway, password="a password of today")
    # The audit trail is made under a secret that was rewrapped too.
    code, output, _ = command(gateway, "verify")
    assert code == 0, output


def test_a_gateway_does_not_start_without_the_key_that_its_secrets_are_under(make_gateway):
    gateway = make_gateway().start()
    file = pathlib.Path(gateway.data, "master-key")
    old = file.read_text()
    assert gateway.stop() == 0
    for text in (new_line(2), new_line(1)):
        write(file, text)
        gateway.start(wait=False)
        assert gateway.process.wait(60) == 1
        assert "master key" in gateway.output().splitlines()[-1]
    write(file, old)
    gateway.start()
    sign_in(gateway)
