"""Signing in through an identity provider: a gateway, a provider in a process of its own, and a person's browser."""

import http.cookies
import json
import pathlib
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest

from conftest import ROOT, Gateway, free_port, wait_until

PROVIDER = pathlib.Path(sys.executable).with_name("oidc-provider-mock")
PUBLIC_URL = "https://gate.example"
PASSWORD = "correct horse battery"


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.text = status, headers, body.decode()

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def code(self):
        return self.json["error"]["code"]

    @property
    def cookies(self):
        found = {}
        for line in self.headers.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(line).items():
                found[name] = morsel
        return found


def ask(url, body=None, method=None, headers=None, form=None):
    headers = dict(headers or {})
    data = None
    if form is not None:
        data = urllib.parse.urlencode(form).encode()
    elif body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.build_opener(NoRedirects).open(request, timeout=20) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


class Provider:
    def __init__(self, port=None):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [PROVIDER, "-p", str(self.port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self.is_there, what="the start of the identity provider")
        return self

    def is_there(self):
        try:
            return ask(f"{self.url}/.well-known/openid-configuration").status == 200
        except OSError:
            return False

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def knows(self, subject, **claims):
        assert ask(f"{self.url}/users/{subject}", claims, "PUT").status == 204


class Owner:
    """An organization's owner, with a session."""

    def __init__(self, gateway, name):
        self.gateway, self.email = gateway, f"{name}@example.com"
        body = {"email": self.email, "password": PASSWORD}
        assert ask(f"{gateway.url}/api/auth/register", body).status == 202
        grant = ask(f"{gateway.url}/api/auth/login", body).json
        self.organization, self.token = grant["organization_id"], grant["access_token"]

    def ask(self, path, body=None, method=None):
        return ask(self.gateway.url + path, body, method, {"Authorization": f"Bearer {self.token}"})

    def connect(self, provider, **more):
        body = {"issuer": provider.url, "client_id": "hivegate", "client_secret": "hush"} | more
        return self.ask(f"/api/v1/organizations/{self.organization}/sso", body, "PUT")


class Browser:
    """One sign-in, step by step."""

    def __init__(self, gateway, organization, session="cookie"):
        self.gateway = gateway
        self.start = ask(f"{gateway.url}/api/auth/sso/{organization}?session={session}")
        self.kept = None
        if self.start.status == 303:
            self.kept = self.start.cookies["__Host-hivegate-sso"]
            self.url = self.start.headers["Location"]

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.url).query))

    def tamper(self, **changes):
        parts = urllib.parse.urlsplit(self.url)
        self.url = parts._replace(query=urllib.parse.urlencode(self.query | changes)).geturl()

    def log_in(self, subject, **form):
        """At the provider. Where it sends the browser back to."""
        answer = ask(self.url, form=form or {"sub": subject})
        assert answer.status == 302, answer.text
        place = answer.headers["Location"]
        assert place.startswith(f"{PUBLIC_URL}/api/auth/sso/callback?")
        return place.removeprefix(PUBLIC_URL)

    def come_back(self, place, cookie=True):
        headers = {"Cookie": f"__Host-hivegate-sso={self.kept.value}"} if cookie is True else cookie or {}
        return ask(self.gateway.url + place, headers=headers)


def sign_in(gateway, organization, subject, session="tokens"):
    browser = Browser(gateway, organization, session)
    assert browser.start.status == 303, browser.start.text
    return browser.come_back(browser.log_in(subject))


def me(gateway, grant):
    return ask(f"{gateway.url}/api/auth/me", headers={"Authorization": f"Bearer {grant['access_token']}"})


@pytest.fixture(scope="module")
def provider():
    instance = Provider().start()
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def gateway():
    instance = Gateway({"HIVEGATE_OUTBOUND_ALLOW": "127.0.0.0/8", "HIVEGATE_PUBLIC_URL": PUBLIC_URL}).start()
    yield instance
    instance.remove()


@pytest.fixture
def owner(gateway, provider, request):
    person = Owner(gateway, f"owner-{abs(hash(request.node.name))}")
    assert person.connect(provider).status == 200
    return person


def test_somebody_new_becomes_a_member_and_is_known_again(gateway, provider, owner):
    provider.knows("ann", email="Ann@new.example", email_verified=True, name="Ann")
    first = sign_in(gateway, owner.organization, "ann")
    assert first.status == 200, first.text
    assert first.json["organization_id"] == owner.organization
    shown = me(gateway, first.json).json
    assert shown["account"]["email"] == "ann@new.example" and shown["account"]["name"] == "Ann"
    assert shown["account"]["email_verified"] and shown["organization"]["role"] == "member"
    # The provider's name for a person counts from now on, whatever becomes of the address.
    provider.knows("ann", email="other@new.example", email_verified=False)
    second = sign_in(gateway, owner.organization, "ann")
    assert me(gateway, second.json).json["account"] == shown["account"]
    sessions = ask(
        f"{gateway.url}/api/auth/sessions", headers={"Authorization": f"Bearer {second.json['access_token']}"}
    ).json["data"]
    assert [session["single_sign_on"] for session in sessions] == [True, True]
    actions = [entry["action"] for entry in owner.ask("/api/v1/audit").json["data"]]
    assert actions.count("sso.link") == 1 and actions.count("member.join") == 1


def test_what_goes_to_the_provider_is_what_the_standards_ask_for(gateway, provider, owner):
    browser = Browser(gateway, owner.organization)
    query = browser.query
    assert browser.url.startswith(f"{provider.url}/oauth2/authorize?")
    assert query["response_type"] == "code" and query["client_id"] == "hivegate"
    assert set(query["scope"].split()) == {"openid", "email", "profile"}
    assert query["redirect_uri"] == f"{PUBLIC_URL}/api/auth/sso/callback"
    assert query["code_challenge_method"] == "S256" and len(query["code_challenge"]) == 43
    assert len({query["state"], query["nonce"], query["code_challenge"]}) == 3
    other = Browser(gateway, owner.organization).query
    assert all(other[name] != query[name] for name in ("state", "nonce", "code_challenge"))
    kept = browser.kept
    assert kept["secure"] and kept["httponly"] and kept["samesite"] == "Lax" and kept["path"] == "/"
    assert kept["max-age"] == "600" and not kept["domain"]


def test_a_browser_gets_a_cookie_and_the_start_page(gateway, provider, owner):
    provider.knows("bea", email="bea@new.example", email_verified=True)
    answer = sign_in(gateway, owner.organization, "bea", "cookie")
    assert answer.status == 303 and answer.headers["Location"] == f"{PUBLIC_URL}/"
    cookie = answer.cookies["__Host-hivegate"]
    assert cookie["samesite"] == "Strict" and cookie["httponly"] and cookie["secure"]
    assert answer.cookies["__Host-hivegate-sso"]["max-age"] == "0"
    shown = ask(f"{gateway.url}/api/auth/me", headers={"Cookie": f"__Host-hivegate={cookie.value}"})
    assert shown.json["account"]["email"] == "bea@new.example"


def test_a_member_is_linked_by_their_confirmed_address(gateway, provider, owner):
    before = owner.ask("/api/auth/me").json
    provider.knows("the-owner", email=owner.email.upper(), email_verified=True)
    answer = sign_in(gateway, owner.organization, "the-owner")
    shown = me(gateway, answer.json).json
    assert shown["account"]["id"] == before["account"]["id"] and shown["organization"]["role"] == "owner"
    # The provider vouches for this organization only.
    token = {"Authorization": f"Bearer {answer.json['access_token']}"}
    changed = {"current_password": PASSWORD, "new_password": "another horse battery"}
    assert ask(f"{gateway.url}/api/auth/password", changed, headers=token).code == "sso_session"
    other = Owner(gateway, f"other-{owner.organization}")
    switched = ask(f"{gateway.url}/api/auth/switch", {"organization_id": other.organization}, headers=token)
    assert switched.code == "sso_session"


@pytest.mark.parametrize("claims", [{}, {"email_verified": False}, {"email_verified": "true"}])
def test_an_address_that_is_not_confirmed_is_nobodys(gateway, provider, owner, claims):
    provider.knows("liar", **({"email": owner.email} | claims))
    assert sign_in(gateway, owner.organization, "liar").code == "sso_email_unverified"


def test_somebody_elses_account_cannot_be_taken(gateway, provider, owner):
    stranger = Owner(gateway, f"stranger-{owner.organization}")
    provider.knows("thief", email=stranger.email, email_verified=True)
    answer = sign_in(gateway, owner.organization, "thief")
    assert (answer.status, answer.code) == (403, "sso_not_a_member")
    members = owner.ask(f"/api/v1/organizations/{owner.organization}/members").json["data"]
    assert [member["email"] for member in members] == [owner.email]


def test_a_removed_member_does_not_come_back_by_themselves(gateway, provider, owner):
    provider.knows("cid", email="cid@new.example", email_verified=True)
    grant = sign_in(gateway, owner.organization, "cid").json
    user = me(gateway, grant).json["account"]["id"]
    gone = owner.ask(f"/api/v1/organizations/{owner.organization}/members/{user}", method="DELETE")
    assert gone.status == 204
    assert me(gateway, grant).status == 401
    assert sign_in(gateway, owner.organization, "cid").code == "sso_not_a_member"


def test_a_disabled_account_stays_out(gateway, provider, owner):
    provider.knows("dan", email="dan@new.example", email_verified=True)
    assert sign_in(gateway, owner.organization, "dan").status == 200
    assert run(gateway, "user", "disable", "dan@new.example")[0] == 0
    assert sign_in(gateway, owner.organization, "dan").code == "account_disabled"


def test_a_sign_in_is_good_once(gateway, provider, owner):
    provider.knows("eva", email="eva@new.example", email_verified=True)
    browser = Browser(gateway, owner.organization, "tokens")
    place = browser.log_in("eva")
    assert browser.come_back(place).status == 200
    assert browser.come_back(place).code == "sso_state_unknown"


def test_a_sign_in_belongs_to_the_browser_that_began_it(gateway, provider, owner):
    provider.knows("fay", email="fay@new.example", email_verified=True)
    browser = Browser(gateway, owner.organization, "tokens")
    other = Browser(gateway, owner.organization, "tokens")
    place = browser.log_in("fay")
    for cookie in [None, {"Cookie": f"__Host-hivegate-sso={other.kept.value}"}, {"Cookie": "__Host-hivegate-sso=x"}]:
        answer = browser.come_back(place, cookie)
        assert (answer.status, answer.code) == (403, "sso_state_unknown")
        assert "__Host-hivegate" not in answer.cookies
    # That has not used it up: it still belongs to the one who began.
    assert browser.come_back(place).status == 200


def test_a_state_that_was_changed_or_made_up_is_refused(gateway, provider, owner):
    browser = Browser(gateway, owner.organization, "tokens")
    place = browser.log_in("ann")
    state = browser.query["state"]
    for made_up in ["", "x", state[:-1], state[:-1] + ("a" if state[-1] != "a" else "b"), "a" * 43]:
        query = place.replace(f"state={state}", f"state={made_up}")
        assert query != place
        answer = browser.come_back(query, {"Cookie": f"__Host-hivegate-sso=tokens.{made_up}"})
        assert answer.status in (403, 422), answer.text


def test_an_id_token_for_another_sign_in_or_client_is_refused(gateway, provider, owner):
    provider.knows("gus", email="gus@new.example", email_verified=True)
    for change in [{"nonce": "of-another-sign-in"}, {"client_id": "another-client"}]:
        browser = Browser(gateway, owner.organization, "tokens")
        browser.tamper(**change)
        answer = browser.come_back(browser.log_in("gus"))
        assert (answer.status, answer.code) == (403, "sso_invalid_answer"), change


def test_an_answer_of_another_issuer_is_refused(gateway, provider, owner):
    provider.knows("hal", email="hal@new.example", email_verified=True)
    for issuer, status in [("https://evil.example", 403), (provider.url, 200)]:
        browser = Browser(gateway, owner.organization, "tokens")
        place = browser.log_in("hal") + "&iss=" + urllib.parse.quote(issuer, safe="")
        # Providers add what they like.
        assert browser.come_back(place + "&session_state=1&hd=x.example").status == status


def test_who_says_no_at_the_provider_is_told_so(gateway, provider, owner):
    browser = Browser(gateway, owner.organization)
    place = f"/api/auth/sso/callback?error=access_denied&error_description=No&state={browser.query['state']}"
    answer = browser.come_back(place)
    assert (answer.status, answer.code) == (403, "sso_denied")
    assert "__Host-hivegate" not in answer.cookies


def test_a_provider_that_is_away_is_said_to_be(gateway):
    away = Provider()
    person = Owner(gateway, "away")
    assert person.connect(away).status == 200
    answer = Browser(gateway, person.organization).start
    assert (answer.status, answer.code) == (502, "sso_provider_unreachable")
    assert str(away.port) not in answer.text
    away.start()
    try:
        away.knows("ida", email="ida@new.example", email_verified=True)
        browser = Browser(gateway, person.organization, "tokens")
        place = browser.log_in("ida")
    finally:
        away.stop()
    assert browser.come_back(place).code == "sso_provider_unreachable"


def test_a_provider_that_speaks_for_another_is_refused(gateway, provider):
    person = Owner(gateway, "liar")
    # The same server by another name: what it says of itself is not who was asked.
    assert person.connect(provider, issuer=provider.url + "/").status == 200
    answer = Browser(gateway, person.organization).start
    assert (answer.status, answer.code) == (502, "sso_provider_unreachable")


def test_without_leave_no_provider_inside_the_house_is_asked(make_gateway, provider):
    gateway = make_gateway({"HIVEGATE_PUBLIC_URL": PUBLIC_URL}).start()
    person = Owner(gateway, "inside")
    assert person.connect(provider).status == 200
    answer = Browser(gateway, person.organization).start
    assert (answer.status, answer.code) == (502, "sso_address_refused")


def run(gateway, *arguments):
    result = subprocess.run(
        [gateway.program, *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HIVEGATE_DATA": gateway.data},
        capture_output=True,
        text=True,
        timeout=90,
    )
    return result.returncode, result.stdout, result.stderr


def test_where_it_is_enforced_it_is_the_only_way_until_the_operator_opens_another(gateway, provider, owner):
    login = {"email": owner.email, "password": PASSWORD}
    assert owner.connect(provider, enforced=True).code == "sso_untried"
    provider.knows("boss", email=owner.email, email_verified=True)
    grant = sign_in(gateway, owner.organization, "boss").json
    assert owner.connect(provider, enforced=True).status == 200
    assert owner.ask("/api/auth/me").code == "sso_required"
    assert ask(f"{gateway.url}/api/auth/login", login).code == "sso_required"
    assert me(gateway, grant).status == 200
    assert sign_in(gateway, owner.organization, "boss").status == 200
    refreshed = ask(f"{gateway.url}/api/auth/refresh", {"refresh_token": grant["refresh_token"]})
    assert refreshed.status == 200
    assert run(gateway, "org", "sso-off", owner.organization)[0] == 0
    assert ask(f"{gateway.url}/api/auth/login", login).status == 200
    assert run(gateway, "verify")[0] == 0


def test_another_provider_ends_what_the_former_has_vouched_for(gateway, provider, owner):
    provider.knows("joe", email="joe@new.example", email_verified=True)
    grant = sign_in(gateway, owner.organization, "joe").json
    assert me(gateway, grant).status == 200
    assert owner.connect(provider, issuer="https://login.example.com").status == 200
    assert me(gateway, grant).status == 401
    assert owner.ask("/api/auth/me").status == 200


def test_a_wrong_network_names_its_setting():
    result = subprocess.run(
        [Gateway().program, "check-config"],
        env={"HIVEGATE_OUTBOUND_ALLOW": "10.0.0.0/33"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 78 and "HIVEGATE_OUTBOUND_ALLOW: " in result.stderr
