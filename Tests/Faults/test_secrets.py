"""Secrets of every kind go through a gateway, also while its databases are away, and lie nowhere after."""

import base64
import concurrent.futures
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import secrets
import signal
import struct
import threading
import time

import pytest

from conftest import Gateway, wait_until
from own_databases import call, mailed_token, psql, redis
from secret_places import PLACES, forms, log, redis_values

CHAT = "/v1/chat/completions"
LOGIN = "/api/auth/login"


def canary(kind):
    return f"{kind}-{secrets.token_hex(12)}"


def made_up_token():
    """As long as those that are given out."""
    return secrets.token_hex(22)[:43]


def totp_code(secret):
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class Provider:
    """An upstream that knows too much and tells it where it can: in its answers and in its errors."""

    def __init__(self):
        self.requests = []
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                provider.requests.append((self.headers["Authorization"], body))
                prompt = json.loads(body)["messages"][0]["content"]
                status, answer = 200, {"choices": [{"index": 0, "message": {"role": "assistant", "content": prompt}}]}
                if b'"failing"' in body:
                    message = f"{self.headers['Authorization']} may not ask {prompt}"
                    status, answer = 401, {"error": {"message": message}}
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Story:
    """What people do, and every secret that occurs in it."""

    def __init__(self, resources):
        self.secrets, self.sent = {}, set()
        self.codes, self.errors = [], []
        self.provider = Provider()
        resources.callback(self.provider.stop)
        self.upstream_key, self.pepper = self.secret("upstream key"), self.secret("pepper", secrets.token_hex(32))
        self.gateway = Gateway(
            {
                "LOG_LEVEL": "debug",
                "OPENAI_API_KEY": self.upstream_key,
                "OPENAI_BASE_URL": self.provider.url,
                "HIVEGATE_OUTBOUND_ALLOW": "127.0.0.0/8",
                "HIVEGATE_KEY_PEPPERS": f"1:{self.pepper}",
                "REQUIRE_VERIFIED_EMAIL": "true",
            }
        )
        resources.callback(self.gateway.remove)
        self.gateway.start()
        lines = pathlib.Path(self.gateway.data, "master-key").read_text().splitlines()
        master = next(line for line in lines if line.startswith("1:")).split(":")[1]
        self.secrets["master key"] = master
        self.secrets["master key, as bytes"] = base64.b64decode(master)
        self.secrets["the owner's password"] = self.gateway.credentials["HIVEGATE_OWNER_PASSWORD"]

    def secret(self, name, text=None):
        assert name not in self.secrets
        self.secrets[name] = text or canary(name.replace(" ", "-"))
        return self.secrets[name]

    def send(self, method, path, body=None, token=None, headers=None, status=200):
        """The JSON of an answer of that status; notes which secrets the request held."""
        answer = call(self.gateway, method, path, body, token, headers)
        text = body.decode() if isinstance(body, bytes) else json.dumps(body)
        said = f"{path} {token} {json.dumps(headers)} {text}"
        texts = {name: secret for name, secret in self.secrets.items() if isinstance(secret, str)}
        self.sent |= {name for name, text in texts.items() if text in said}
        if answer.status >= 400:
            self.errors.append((f"{method} {path.split('?')[0]}", answer.body))
        assert answer.status == status, (method, path, answer.status, answer.body)
        return json.loads(answer.body) if answer.body.startswith(b"{") else answer

    def chat(self, key, prompt, model="sandbox/echo", status=200, **more):
        body = {"model": model, "messages": [{"role": "user", "content": prompt}]} | more
        return self.send("POST", CHAT, body, key, status=status)

    # Everything as it should be ---------------------------------------------------------------------------------------

    def sign_up_and_in(self):
        self.email = "ann@example.com"
        password = self.secret("password")
        self.send("POST", "/api/auth/register", {"email": self.email, "password": password}, status=202)
        token = self.secret("verification token", mailed_token(self.gateway, self.email))
        self.send("POST", "/api/auth/verify-email", {"token": token}, status=204)
        wrong = self.secret("wrong password")
        self.send("POST", LOGIN, {"email": self.email, "password": wrong}, status=401)
        self.send("POST", LOGIN, {"email": "nobody@example.com", "password": wrong}, status=401)
        session = self.send("POST", LOGIN, {"email": self.email, "password": password})
        first = self.secret("refresh token", session["refresh_token"])
        self.keep(session, "first")
        self.send("GET", "/api/auth/me", token=session["access_token"])
        session = self.send("POST", "/api/auth/refresh", {"refresh_token": first})
        self.secret("second refresh token", session["refresh_token"])
        self.keep(session, "second")
        self.token, self.organization = session["access_token"], session["organization_id"]
        new = self.secret("new password")
        change = {"current_password": password, "new_password": new}
        self.send("POST", "/api/auth/password", change, self.token, status=204)
        self.password = new

    def keep(self, session, name):
        """What makes an access token one is its signature."""
        self.secret(f"{name} access token", session["access_token"].split(".")[2])

    def use_a_browser(self):
        headers = {"Origin": self.gateway.url}
        body = {"email": self.email, "password": self.password, "session": "cookie"}
        answer = call(self.gateway, "POST", LOGIN, body, headers=headers)
        assert answer.status == 200, answer.body
        cookie = self.secret("cookie", answer.headers["Set-Cookie"].split(";")[0].split("=")[1])
        self.send("GET", "/api/auth/me", headers={"Cookie": f"__Host-hivegate={cookie}"})

    def use_a_second_factor(self):
        begun = self.send("POST", "/api/auth/totp", token=self.token)
        secret = self.secret("authenticator", begun["secret"])
        self.secrets["authenticator, as bytes"] = base64.b32decode(secret)
        code = totp_code(secret)
        confirmed = self.send("POST", "/api/auth/totp/confirm", {"code": code}, self.token)
        recovery = self.secret("recovery code", confirmed["recovery_codes"][0])
        self.secret("unused recovery code", confirmed["recovery_codes"][1])
        body = {"email": self.email, "password": self.password}
        # It was used already.
        self.send("POST", LOGIN, body | {"code": code}, status=401)
        self.codes.append(code)
        session = self.send("POST", LOGIN, body | {"code": recovery})
        self.token = session["access_token"]
        wrong = self.secret("wrong recovery code")
        self.send("POST", LOGIN, body | {"code": wrong}, status=401)
        password = {"current_password": self.password}
        self.send("POST", "/api/auth/totp/remove", password, self.token, status=204)

    def forget_the_password(self):
        self.send("POST", "/api/auth/password/forgot", {"email": self.email}, status=202)
        token = self.secret("reset token", mailed_token(self.gateway, self.email))
        body = {"token": token, "password": self.secret("reset password")}
        self.send("POST", "/api/auth/password/reset", body, status=204)
        self.send("POST", "/api/auth/password/reset", body, status=401)
        self.password = body["password"]
        self.token = self.send("POST", LOGIN, {"email": self.email, "password": self.password})["access_token"]

    def invite(self):
        path = f"/api/v1/organizations/{self.organization}/invitations"
        self.send("POST", path, {"email": "bob@example.com", "role": "member"}, self.token, status=201)
        token = self.secret("invitation token", mailed_token(self.gateway, "bob@example.com"))
        body = {"email": "bob@example.com", "password": self.secret("invited password"), "invitation": token}
        self.send("POST", "/api/auth/register", body, status=202)

    def use_keys(self):
        made = self.send("POST", "/api/auth/api-keys", {"name": "first"}, self.token, status=201)
        key = self.secret("API key", made["key"])
        self.chat(key, self.secret("prompt"))
        self.chat(key, self.secret("streamed prompt"), stream=True)
        self.chat(key, self.secret("proxied prompt"), model="openai/good")
        self.chat(key, self.secret("refused prompt"), model="nobody/nothing", status=404)
        rotated = self.send("POST", f"/api/auth/api-keys/{made['id']}/rotate", {}, self.token, status=201)
        self.key = self.secret("rotated API key", rotated["key"])
        self.chat(self.key, "hello")

    def store_provider_keys(self):
        for path, name, token in (
            ("/api/v1/credentials", "organization's", self.token),
            ("/api/v1/admin/credentials", "operator's", self.operator()),
        ):
            key = self.secret(f"{name} provider key")
            body = {"provider": "openai", "api_key": key, "base_url": self.provider.url}
            made = self.send("POST", path, body, token, status=201)
            change = {"api_key": self.secret(f"{name} changed provider key")}
            self.send("PATCH", f"{path}/{made['id']}", change, token)
            self.send("GET", f"{path}/{made['id']}", token=token)

    def operator(self):
        credentials = self.gateway.credentials
        body = {"email": credentials["HIVEGATE_OWNER_EMAIL"], "password": credentials["HIVEGATE_OWNER_PASSWORD"]}
        return self.send("POST", LOGIN, body)["access_token"]

    # Things that go wrong ---------------------------------------------------------------------------------------------

    def be_mistaken(self):
        for number, scheme in enumerate(("Bearer", "Bearer x", "Basic", "Token", "", "bearer\t")):
            text = self.secret(f"authorization {number}")
            self.send("GET", "/v1/models", headers={"Authorization": f"{scheme} {text}"}, status=401)
            self.send("GET", "/api/auth/me", headers={"Authorization": f"{scheme} {text}"}, status=401)
        for number, name in enumerate(("x-api-key", "Cookie", "Proxy-Authorization")):
            text = self.secret(f"header {number}")
            value = f"__Host-hivegate={text}" if name == "Cookie" else text
            self.send("GET", "/api/auth/me", headers={name: value}, status=401)
        made_up = self.secret("made-up key", f"hg_live_{secrets.token_hex(18)}")
        self.chat(made_up, "hello", status=401)
        forged = self.secret("forged token", secrets.token_hex(30))
        self.send("GET", "/api/auth/me", token=f"eyJhbGciOiJub25lIn0.e30.{forged}", status=401)
        for number, text in enumerate(
            ('{"email":"a@b.example","password":"%s', '{"password":"%s","password":"%s"}', '{"password":"%s"}}', "%s")
        ):
            secret = self.secret(f"malformed {number}")
            self.send("POST", LOGIN, text.replace("%s", secret).encode(), status=400)
        self.send("POST", CHAT, ('{"messages":["%s' % self.secret("cut prompt")).encode(), self.key, status=400)
        for number, value in enumerate((["%s"], {"a": "%s"}, "%s" * 40)):
            secret = self.secret(f"wrong type {number}")
            password = json.loads(json.dumps(value).replace("%s", secret))
            self.send("POST", LOGIN, {"email": "a@b.example", "password": password}, status=422)
        body = {"email": "a@b.example", "password": "x" * 12, "secret": self.secret("unknown field")}
        self.send("POST", LOGIN, body, status=422)
        body = {"provider": f"Open AI {self.secret('provider name')}", "api_key": self.secret("refused provider key")}
        self.send("POST", "/api/v1/credentials", body, self.token, status=422)
        verification = {"token": self.secret("made-up token", made_up_token())}
        self.send("POST", "/api/auth/verify-email", verification, status=401)
        refresh = {"refresh_token": self.secret("made-up refresh token", made_up_token())}
        self.send("POST", "/api/auth/refresh", refresh, status=401)
        self.send("GET", f"/v1/models?api_key={self.secret('query of a known address')}", token=self.key)
        self.send("GET", f"/api/auth/me?token={self.secret('query of a strict address')}", token=self.token, status=422)
        self.send("GET", f"/nothing?token={self.secret('query of an unknown address')}", status=404)
        self.send("GET", f"/nothing/{self.secret('unknown address')}", status=404)
        self.send("DELETE", f"/api/auth/sessions/{self.secret('identifier')}", token=self.token, status=404)
        prompt = self.secret("prompt that fails")
        self.chat(self.key, prompt, model="openai/failing", status=502)

    def use_it_without(self, name, statuses):
        """While a database is away, all at once. `statuses` are those of what needs it."""
        login = {"email": self.email, "password": self.secret(f"password without {name}")}
        store = {"provider": "openai", "api_key": self.secret(f"provider key without {name}")}
        refresh = {"refresh_token": self.secret(f"refresh token without {name}", made_up_token())}
        reset = {
            "token": self.secret(f"reset token without {name}", made_up_token()),
            "password": self.secret(f"reset without {name}"),
        }
        malformed = ('{"password":"%s' % self.secret(f"malformed without {name}")).encode()
        prompt = self.secret(f"prompt without {name}")
        requests = (
            lambda: self.send("POST", LOGIN, login, status=statuses["login"]),
            lambda: self.send("POST", "/api/v1/credentials", store, self.token, status=statuses["store"]),
            lambda: self.send("POST", "/api/auth/refresh", refresh, status=statuses["refresh"]),
            lambda: self.send("POST", "/api/auth/password/reset", reset, status=statuses["reset"]),
            lambda: self.send("POST", LOGIN, malformed, status=400),
            lambda: self.chat(self.key, prompt),
        )
        pool = concurrent.futures.ThreadPoolExecutor(len(requests))
        return [pool.submit(request) for request in requests]

    def tell(self):
        self.sign_up_and_in()
        self.use_a_browser()
        self.use_a_second_factor()
        self.forget_the_password()
        self.invite()
        self.use_keys()
        self.store_provider_keys()
        self.be_mistaken()
        with stopped(self.gateway, "redis-server"):
            for request in self.use_it_without("Redis", {"login": 401, "store": 201, "refresh": 401, "reset": 401}):
                request.result(30)
        # A credential was stored, so that what is known of the key is to be looked up again; without PostgreSQL that fails.
        self.chat(self.key, self.secret("prompt between two losses"))
        self.lose_postgres()
        return self

    def lose_postgres(self):
        """It falls silent, dies with what it was asked, and stays away for a while."""
        unavailable = dict.fromkeys(("login", "store", "refresh", "reset"), 503)
        data = pathlib.Path(self.gateway.data, "postgres")
        with stopped(self.gateway, "postgres") as pids:
            asked = self.use_it_without("an answer of PostgreSQL", unavailable)
            time.sleep(0.5)
            data.rename(data.with_suffix(".away"))
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        for request in asked + self.use_it_without("PostgreSQL", unavailable):
            request.result(30)
        data.with_suffix(".away").rename(data)
        wait_until(lambda: call(self.gateway, "GET", "/api/auth/me", token=self.token).status == 200, what="its return")


@contextlib.contextmanager
def stopped(gateway, name):
    """A server that neither answers nor goes away, with all its processes."""
    first = gateway.children()[name]
    children = pathlib.Path(f"/proc/{first}/task/{first}/children").read_text().split()
    pids = [first, *map(int, children)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield pids
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def story():
    with contextlib.ExitStack() as resources:
        yield Story(resources).tell()


def names_of_those_in(story, text):
    return sorted(name for name, secret in story.secrets.items() if any(form in text for form in forms(secret)))


def test_every_secret_was_at_work(story):
    sealed = "SELECT count(*) > 1 FROM provider_credentials WHERE master_version = 1"
    asked_with = {key.removeprefix("Bearer ") for key, _ in story.provider.requests}
    assert asked_with == {story.upstream_key, story.secrets["organization's changed provider key"]}
    used_otherwise = {
        # The provider was asked with it.
        "upstream key": True,
        # Keys are known under it, and secrets sealed under this.
        "pepper": psql(story.gateway, "SELECT count(*) > 1 FROM api_keys WHERE pepper_version = 1") == "t",
        "master key": psql(story.gateway, sealed) == "t",
        "master key, as bytes": True,
        # It made a code that was right.
        "authenticator": len(story.codes) == 1,
        "authenticator, as bytes": True,
        # Only shown.
        "unused recovery code": True,
        "second refresh token": True,
    }
    assert len(story.provider.requests) > 1
    assert all(used_otherwise.values())
    assert story.sent | set(used_otherwise) == set(story.secrets)
    assert len(story.secrets) > 60


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_in(story, place):
    assert names_of_those_in(story, PLACES[place](story.gateway)) == []


def test_no_code_of_an_authenticator_is_in_the_log_or_in_redis(story):
    for text in (log(story.gateway), redis_values(story.gateway)):
        for code in story.codes:
            assert f'"{code}"'.encode() not in text
            assert f" {code} ".encode() not in text


def test_no_error_tells_a_secret(story):
    assert len(story.errors) > 30
    found = {what: names_of_those_in(story, body) for what, body in story.errors}
    assert {what: names for what, names in found.items() if names} == {}


def test_no_secret_is_in_the_metrics(story):
    metrics = call(story.gateway, "GET", "/metrics")
    assert metrics.status == 200
    assert names_of_those_in(story, metrics.body) == []


def test_what_is_looked_for_would_be_found(story):
    """The search itself: a secret in each form, in the midst of other text, and one in each database."""
    secret = story.secrets["password"]
    in_base64 = (base64.b64encode(f"{'x' * count}{secret}y".encode()).decode() for count in range(3))
    for text in (secret, secret.encode().hex(), *in_base64):
        assert names_of_those_in(story, f"a {text} z".encode()) == ["password"]
    psql(story.gateway, f"CREATE TABLE leak AS SELECT '{secret}'::bytea AS secret")
    assert names_of_those_in(story, PLACES["the database"](story.gateway)) == ["password"]
    psql(story.gateway, "DROP TABLE leak")
    redis(story.gateway, "HSET", "leak", "field", f"of {secret}")
    assert names_of_those_in(story, PLACES["Redis"](story.gateway)) == ["password"]
    assert names_of_those_in(story, PLACES["the files of Redis"](story.gateway)) == ["password"]
    assert b"hg:{login}:" in redis_values(story.gateway)
    assert b'"route":"login"' in log(story.gateway)
