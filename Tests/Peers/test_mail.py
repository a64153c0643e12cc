"""Mails that are really sent: a gateway, a mail server, and a person who opens links."""

import base64
import email
import email.policy
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import pytest

from conftest import ROOT, free_port, wait_until

RECEIVER = pathlib.Path(__file__).with_name("smtp_receiver.py")
PASSWORD = "correct horse battery"


class Receiver:
    """A mail server that keeps what it takes."""

    def __init__(self, *options, port=None):
        self.port = port or free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hivegate-mail-", dir="/tmp"))
        self.options = options
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, RECEIVER, str(self.port), self.folder, *self.options],
            stdout=subprocess.DEVNULL,
            stderr=open(self.folder / "log", "wb"),
        )
        return self

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    @property
    def tries(self):
        path = self.folder / "tries"
        return int(path.read_text()) if path.exists() else 0

    def taken(self):
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("*.json"))]

    def mails(self, recipient):
        return [mail for mail in self.taken() if mail["to"] == [recipient]]

    def mail(self, recipient, limit=30):
        """The newest one to somebody, once it is there."""
        wait_until(lambda: self.mails(recipient), limit, f"a mail to {recipient}")
        return email.message_from_string(self.mails(recipient)[-1]["content"], policy=email.policy.default)


def token(mail):
    return re.search(r"token=(\w+)", mail.get_content())[1]


@pytest.fixture
def make_receiver():
    made = []

    def make(*options, port=None):
        made.append(Receiver(*options, port=port))
        return made[-1]

    yield make
    for receiver in made:
        receiver.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", folder / "key.pem", "-out", folder / "certificate.pem"),
        ],
        check=True,
        capture_output=True,
    )
    return folder / "certificate.pem", folder / "key.pem"


def post(gateway, path, body):
    """The status and what was answered."""
    request = urllib.request.Request(
        gateway.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def register(gateway, address):
    assert post(gateway, "/api/auth/register", {"email": address, "password": PASSWORD})[0] == 202


def login(gateway, address, password=PASSWORD):
    return post(gateway, "/api/auth/login", {"email": address, "password": password})[0]


def psql(gateway, statement):
    """As the superuser, in the gateway's own database."""
    socket = next(path for path in pathlib.Path(gateway.data).rglob(".s.PGSQL.*") if path.suffix != ".lock")
    result = subprocess.run(
        [
            *("psql", "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-h", socket.parent),
            *("-p", socket.suffix[1:], "-U", "hivegate", "-d", "hivegate", "-c", statement),
        ],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def outbox(gateway, recipient):
    """What became of the newest mail to somebody."""
    text = psql(
        gateway,
        f"""SELECT json_build_object('sent', sent_at IS NOT NULL, 'given_up', given_up_at IS NOT NULL,
            'attempts', attempts, 'error', last_error, 'text', sealed IS NOT NULL OR wrapped_key IS NOT NULL)
            FROM mail_outbox WHERE recipient = '{recipient}' ORDER BY id DESC LIMIT 1""",
    )
    return json.loads(text)


def test_a_new_account_is_confirmed_by_the_link_in_its_mail(make_gateway, make_receiver):
    receiver = make_receiver().start()
    gateway = make_gateway(
        {
            "SMTP_URL": f"smtp://127.0.0.1:{receiver.port}",
            "HIVEGATE_PUBLIC_URL": "https://gate.example",
            "LOG_LEVEL": "debug",
        }
    ).start()
    register(gateway, "ann@example.com")
    assert login(gateway, "ann@example.com") == 401, "without a confirmed address nobody signs in"
    mail = receiver.mail("ann@example.com")
    assert mail["From"] == "Hivegate <hivegate@gate.example>"
    assert mail["To"] == "ann@example.com"
    assert mail["Subject"] == "Confirm your e-mail address"
    assert mail["Message-ID"].endswith("@gate.example>")
    assert mail["Date"].datetime.tzinfo is not None
    assert "https://gate.example/verify-email?token=" in mail.get_content()
    assert receiver.taken()[-1]["from"] == "hivegate@gate.example"
    assert (receiver.folder / "ehlo").read_text() == "gate.example"
    secret = token(mail)
    assert post(gateway, "/api/auth/verify-email", {"token": secret})[0] == 204
    assert login(gateway, "ann@example.com") == 200

    wait_until(lambda: outbox(gateway, "ann@example.com")["sent"], what="the note that it was sent")
    assert outbox(gateway, "ann@example.com")["text"] is False
    assert gateway.metric("hivegate_mails_sent_total") == 1
    assert secret not in gateway.output()
    assert gateway.stop() == 0


def test_a_forgotten_password_is_set_anew(make_gateway, make_receiver):
    receiver = make_receiver().start()
    gateway = make_gateway({"SMTP_URL": f"smtp://127.0.0.1:{receiver.port}"}).start()
    register(gateway, "ann@example.com")
    post(gateway, "/api/auth/verify-email", {"token": token(receiver.mail("ann@example.com"))})
    assert post(gateway, "/api/auth/password/forgot", {"email": "ann@example.com"})[0] == 202
    wait_until(lambda: len(receiver.mails("ann@example.com")) == 2, 30, "the second mail")
    secret = token(receiver.mail("ann@example.com"))
    changed = {"token": secret, "password": "another horse battery"}
    assert post(gateway, "/api/auth/password/reset", changed)[0] == 204
    assert login(gateway, "ann@example.com") == 401
    assert login(gateway, "ann@example.com", "another horse battery") == 200
    assert post(gateway, "/api/auth/password/reset", changed)[0] == 401, "a link is good once"


@pytest.mark.parametrize("kind", ["starttls", "implicit"])
def test_a_mail_goes_over_tls_with_a_login(make_gateway, make_receiver, certificate, kind):
    options = ["--auth", "gate", "p@ss:word", "--tls", *certificate]
    receiver = make_receiver(*options, *(["--implicit"] if kind == "implicit" else [])).start()
    scheme, query = ("smtps", "") if kind == "implicit" else ("smtp", "?starttls=required")
    gateway = make_gateway(
        {
            "SMTP_URL": f"{scheme}://gate:p%40ss%3Aword@localhost:{receiver.port}{query}",
            "HIVEGATE_CA_FILE": str(certificate[0]),
        }
    ).start()
    register(gateway, "ann@example.com")
    receiver.mail("ann@example.com")
    assert receiver.taken()[0]["tls"] and receiver.taken()[0]["authenticated"]
    assert "p@ss" not in gateway.output() and "p%40ss" not in gateway.output()


@pytest.mark.parametrize("kind", ["no TLS is offered", "the certificate is a stranger's", "the password is wrong"])
def test_a_mail_is_not_handed_to_whoever_comes(make_gateway, make_receiver, certificate, kind):
    if kind == "no TLS is offered":
        receiver = make_receiver().start()
        environment = {"SMTP_URL": f"smtp://127.0.0.1:{receiver.port}?starttls=required"}
    elif kind == "the password is wrong":
        receiver = make_receiver("--auth", "gate", "right", "--tls", *certificate).start()
        environment = {
            "SMTP_URL": f"smtp://gate:wrong@localhost:{receiver.port}?starttls=required",
            "HIVEGATE_CA_FILE": str(certificate[0]),
        }
    else:
        receiver = make_receiver("--tls", *certificate).start()
        environment = {"SMTP_URL": f"smtp://localhost:{receiver.port}?starttls=required"}
    gateway = make_gateway(environment).start()
    register(gateway, "ann@example.com")
    wait_until(lambda: outbox(gateway, "ann@example.com")["error"], 30, "the failure")
    after = outbox(gateway, "ann@example.com")
    # It is a matter of settings, which somebody will put right.
    assert not after["given_up"] and not after["sent"] and after["text"]
    assert receiver.taken() == [] and receiver.tries == 0


@pytest.mark.parametrize("answer", ["451", "rcpt450"])
def test_what_is_put_off_comes_later(make_gateway, make_receiver, answer):
    receiver = make_receiver("--answers", answer).start()
    gateway = make_gateway({"SMTP_URL": f"smtp://127.0.0.1:{receiver.port}"}).start()
    register(gateway, "ann@example.com")
    receiver.mail("ann@example.com")
    wait_until(lambda: outbox(gateway, "ann@example.com")["sent"], what="the note that it was sent")
    assert outbox(gateway, "ann@example.com")["attempts"] == 2
    assert gateway.metric("hivegate_mail_failures_total") == 1


@pytest.mark.parametrize("answer", ["550", "rcpt550"])
def test_what_is_refused_is_given_up_at_once(make_gateway, make_receiver, answer):
    receiver = make_receiver("--answers", answer).start()
    gateway = make_gateway({"SMTP_URL": f"smtp://127.0.0.1:{receiver.port}"}).start()
    register(gateway, "ann@example.com")
    wait_until(lambda: outbox(gateway, "ann@example.com")["given_up"], 30, "giving up")
    after = outbox(gateway, "ann@example.com")
    assert not after["text"] and after["attempts"] == 1
    assert after["error"] == "the mail server refuses it (550)"
    # The next one is another matter.
    register(gateway, "bob@example.com")
    receiver.mail("bob@example.com")


def test_what_fails_for_a_day_is_given_up(make_gateway):
    gateway = make_gateway({"SMTP_URL": f"smtp://127.0.0.1:{free_port()}"}).start()
    register(gateway, "ann@example.com")
    wait_until(lambda: outbox(gateway, "ann@example.com")["error"], 30, "the failure")
    assert outbox(gateway, "ann@example.com")["error"] == "the mail server cannot be reached"
    assert gateway.metric("hivegate_mail_failures_total") >= 1
    psql(gateway, "UPDATE mail_outbox SET attempts = 29, next_attempt_at = now()")
    wait_until(lambda: outbox(gateway, "ann@example.com")["given_up"], 30, "giving up")
    assert not outbox(gateway, "ann@example.com")["text"]


def test_a_mail_waits_for_a_server_that_is_away(make_gateway, make_receiver):
    receiver = make_receiver()
    gateway = make_gateway({"SMTP_URL": f"smtp://127.0.0.1:{receiver.port}"}).start()
    register(gateway, "ann@example.com")
    wait_until(lambda: outbox(gateway, "ann@example.com")["error"], 30, "the failure")
    receiver.start()
    receiver.mail("ann@example.com")


def test_another_gateway_sends_what_a_killed_one_was_about_to(make_gateway, make_receiver):
    hanging = make_receiver("--hang").start()
    gateway = make_gateway({"SMTP_URL": f"smtp://127.0.0.1:{hanging.port}"}).start()
    register(gateway, "ann@example.com")
    wait_until(lambda: hanging.tries == 1, 30, "the first attempt")
    gateway.process.kill()
    gateway.process.wait(10)
    hanging.stop()
    receiver = make_receiver().start()
    other = make_gateway({"SMTP_URL": f"smtp://127.0.0.1:{receiver.port}"}, data=gateway.data).start()
    # It was the killed one's for some minutes: nobody else may take it meanwhile.
    assert psql(other, "SELECT next_attempt_at > now() + interval '1 minute' FROM mail_outbox") == "t"
    assert receiver.taken() == []
    psql(other, "UPDATE mail_outbox SET next_attempt_at = now()")
    receiver.mail("ann@example.com")
    wait_until(lambda: outbox(other, "ann@example.com")["sent"], what="the note that it was sent")
    assert len(receiver.taken()) == 1


def test_a_gateway_that_stops_gives_back_what_it_was_about_to_send(make_gateway, make_receiver):
    hanging = make_receiver("--hang").start()
    gateway = make_gateway({"SMTP_URL": f"smtp://127.0.0.1:{hanging.port}"}).start()
    register(gateway, "ann@example.com")
    wait_until(lambda: hanging.tries == 1, 30, "the first attempt")
    assert gateway.stop() == 0
    receiver = make_receiver().start()
    make_gateway({"SMTP_URL": f"smtp://127.0.0.1:{receiver.port}"}, data=gateway.data).start()
    receiver.mail("ann@example.com", 30)


def test_for_development_mails_are_in_the_log(make_gateway):
    gateway = make_gateway({"MAIL_TO_LOG": "true", "LOG_FORMAT": "json"}).start()
    register(gateway, "ann@example.com")
    wait_until(lambda: "verify-email?token=" in gateway.output(), 30, "the mail in the log")
    secret = re.search(r"verify-email\?token=(\w+)", gateway.output())[1]
    assert post(gateway, "/api/auth/verify-email", {"token": secret})[0] == 204
    wait_until(lambda: outbox(gateway, "ann@example.com")["sent"], what="the note that it was sent")


def run(gateway, *arguments, **environment):
    result = subprocess.run(
        [gateway.program, *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HIVEGATE_DATA": gateway.data} | environment,
        capture_output=True,
        text=True,
        timeout=90,
    )
    return result.returncode, result.stdout, result.stderr


def test_without_a_server_mails_stay_in_the_outbox(make_gateway):
    gateway = make_gateway().start()
    register(gateway, "ann@example.com")
    assert login(gateway, "ann@example.com") == 200, "where no mail is sent no confirmation is asked for"
    code, output, _ = run(gateway, "outbox", "--to", "ann@example.com")
    assert code == 0 and "verify-email?token=" in output


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_URL", "mail.example"),
        ("SMTP_URL", "smtp://ann:hushhush@mail.example?starttls=maybe"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_TO_LOG", "perhaps"),
    ],
)
def test_a_wrong_setting_names_itself_and_keeps_its_secret(make_gateway, name, value):
    code, output, errors = run(make_gateway(), "check-config", **{name: value})
    assert code == 78
    assert f"  {name}: " in errors
    assert "hushhush" not in output + errors


def test_confirmed_addresses_are_asked_for_where_mails_are_sent(make_gateway):
    gateway = make_gateway()
    for environment, expected in [
        ({}, "false"),
        ({"MAIL_TO_LOG": "true"}, "false"),
        ({"SMTP_URL": "smtp://mail.example"}, "true"),
        ({"SMTP_URL": "smtp://mail.example", "REQUIRE_VERIFIED_EMAIL": "false"}, "false"),
    ]:
        code, output, _ = run(gateway, "check-config", **environment)
        assert code == 0 and f"REQUIRE_VERIFIED_EMAIL={expected} " in output
