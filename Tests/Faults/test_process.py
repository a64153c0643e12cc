"""The process is started wrongly, stopped, killed and started again."""

import base64
import concurrent.futures
import http.client
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from load import Load, ask


def run(gateway, *arguments, **environment):
    """The program with those arguments: code, output and errors."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    result = subprocess.run(
        [gateway.program, *arguments],
        env=keep | {"HIVEGATE_DATA": gateway.data} | environment,
        capture_output=True,
        text=True,
        timeout=90,
        cwd=pathlib.Path(__file__).parents[2],
    )
    return result.returncode, result.stdout, result.stderr


def is_running(pid):
    """One that has ended may stay in the table until somebody asks for its exit."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_restart_keeps_the_key_and_the_password(make_gateway):
    gateway = make_gateway().start()
    before = dict(gateway.credentials)
    assert gateway.stop() == 0
    gateway.start()
    assert gateway.credentials["HIVEGATE_API_KEY"] == before["HIVEGATE_API_KEY"]
    assert gateway.credentials["HIVEGATE_OWNER_PASSWORD"] == before["HIVEGATE_OWNER_PASSWORD"]
    assert ask(gateway.port, gateway.key) == 200


def test_the_credentials_are_for_their_owner_alone(make_gateway):
    gateway = make_gateway().start()
    for name in ["credentials.env", "key-peppers"]:
        assert pathlib.Path(gateway.data, name).stat().st_mode & 0o777 == 0o600
    assert set(gateway.credentials) == {
        "HIVEGATE_URL",
        "HIVEGATE_API_KEY",
        "HIVEGATE_OWNER_EMAIL",
        "HIVEGATE_OWNER_PASSWORD",
    }


def test_lost_credentials_are_replaced(make_gateway):
    gateway = make_gateway().start()
    before = gateway.key
    gateway.stop()
    pathlib.Path(gateway.data, "credentials.env").unlink()
    gateway.start()
    assert gateway.key != before
    assert ask(gateway.port, gateway.key) == 200


def test_a_killed_gateway_takes_its_servers_along_and_starts_again(make_gateway):
    gateway = make_gateway().start()
    for _ in range(3):
        servers = gateway.children()
        assert set(servers) == {"postgres", "redis-server"}
        gateway.process.kill()
        gateway.process.wait(10)
        gateway.start()
        assert ask(gateway.port, gateway.key) == 200
        assert not set(servers.values()) & set(gateway.children().values())
        assert not any(is_running(pid) for pid in servers.values())


def test_a_stop_lets_an_answer_under_way_finish(make_gateway):
    gateway = make_gateway().start()
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    body = {"model": "sandbox/slow", "stream": True, "messages": [{"role": "user", "content": "a story"}]}
    headers = {"Authorization": f"Bearer {gateway.key}"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    answer = connection.getresponse()
    answer.read(1)
    gateway.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    with pytest.raises(OSError):
        ask(gateway.port, gateway.key)
    assert answer.read().endswith(b"data: [DONE]\n\n")
    assert gateway.process.wait(30) == 0


def test_a_stop_under_load_fails_no_request_that_was_taken(make_gateway):
    gateway = make_gateway().start()
    load = Load(gateway.port, gateway.key)
    time.sleep(0.5)
    assert gateway.stop() == 0
    ends = [status for _, _, status in load.stop()]
    # What came after the stop found nobody, or a connection on which nothing had been asked yet was closed; nothing
    # was broken off in the middle.
    assert {status for status in ends if isinstance(status, int)} == {200}
    unheard = ("ConnectionRefused", "Reset", "RemoteDisconnected", "BrokenPipe")
    assert all(any(name in status for name in unheard) for status in ends if isinstance(status, str))
    assert '"aborted":false' in gateway.output()
    assert '"aborted":true' not in gateway.output()


def test_a_second_signal_stops_at_once(make_gateway):
    gateway = make_gateway().start()
    body = {"model": "sandbox/slow", "stream": True, "messages": [{"role": "user", "content": "a story"}]}
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    connection.request(
        "POST", "/v1/chat/completions", json.dumps(body), {"Authorization": f"Bearer {gateway.key}"}
    )
    connection.getresponse().read(1)
    gateway.process.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.process.wait(5) == 1


def test_a_version_that_is_none_and_an_endpoint_that_is_none_are_named(make_gateway):
    azure = {"AZURE_OPENAI_API_KEY": "key", "AZURE_OPENAI_ENDPOINT": "https://contoso.openai.azure.com"}
    for name, value in {"OPENAI_API_VERSION": "2024-10-21&x=y", "AZURE_OPENAI_ENDPOINT": "contoso"}.items():
        code, _, errors = run(make_gateway(), "check-config", **azure | {name: value})
        assert (code, f"{name}:" in errors) == (78, True)
    code, output, errors = run(make_gateway(), "check-config", **azure, AZURE_OPENAI_API_VERSION="2024-10-21")
    assert code == 0, errors
    assert "2024-10-21" in output and "azure" in output


def test_every_fault_of_the_configuration_is_named_at_once(make_gateway):
    gateway = make_gateway()
    wrong = {
        "PORT": "eighty",
        "HOST": "nowhere.example",
        "LOG_LEVEL": "loud",
        "REDIS_URL": "rediss://redis.example",
        "DATABASE_URL": "mysql://root:hunter2@db/x",
        "OPENAI_BASE_URL": "not a url",
        "HIVEGATE_KEY_PEPPERS": "1:short",
        "HIVEGATE_MASTER_KEY_FILE": "/nowhere",
        "HIVEGATE_PUBLIC_URL": "https://hivegate.example/path",
        "REGISTRATION": "sometimes",
        "ADDRESS_REQUESTS_PER_MINUTE": "-1",
    }
    for command in ["serve", "check-config"]:
        code, output, errors = run(gateway, command, **wrong)
        assert code == 78
        for name in wrong:
            assert f"{name}:" in errors
        assert "stunnel" in errors, "why TLS to Redis is refused"
        assert "hunter2" not in output + errors


def test_check_config_shows_what_is_in_force_and_no_secret(make_gateway):
    code, output, _ = run(make_gateway(), "check-config", PORT="9999", OPENAI_API_KEY="sk-secret")
    assert code == 0
    assert "PORT=9999  # set" in output
    assert "HOST=127.0.0.1  # default" in output
    assert "OPENAI_API_KEY=***" in output
    assert "sk-secret" not in output


def master_key(folder):
    path = folder / "master-key"
    path.write_text(f"1:{base64.b64encode(bytes(32)).decode()}\n")
    path.chmod(0o400)
    return str(path)


def test_a_master_key_that_others_can_read_is_refused(make_gateway, tmp_path):
    path = master_key(tmp_path)
    os.chmod(path, 0o644)
    code, _, errors = run(make_gateway(), "check-config", HIVEGATE_MASTER_KEY_FILE=path)
    assert code == 78
    assert "chmod 0400" in errors


def test_a_database_that_is_not_there_is_waited_for_and_then_named(make_gateway, tmp_path):
    absent = {
        "PostgreSQL": {
            "DATABASE_URL": f"postgresql://u@/d?host={tmp_path}",
            "HIVEGATE_KEY_PEPPERS": f"1:{'p' * 40}",
            "HIVEGATE_MASTER_KEY_FILE": master_key(tmp_path),
        },
        "Redis": {"REDIS_URL": f"unix://{tmp_path}/none.sock"},
    }
    with concurrent.futures.ThreadPoolExecutor() as pool:
        started = time.monotonic()
        runs = {
            name: pool.submit(run, make_gateway(), "serve", PORT="0", **environment)
            for name, environment in absent.items()
        }
        for name, result in runs.items():
            code, _, errors = result.result()
            assert code == 69
            assert "waiting for a database" in errors
            assert f"{name} cannot be reached" in errors
        assert 25 < time.monotonic() - started < 60


def test_an_address_of_nobody_known_is_limited_and_a_key_is_not(make_gateway):
    gateway = make_gateway({"ADDRESS_REQUESTS_PER_MINUTE": "20"}).start()
    statuses = [gateway.status("/openapi.json") for _ in range(25)]
    # A loop that has not heard of Redis yet lets in its share alone.
    assert statuses.count(200) in range(10, 21) and set(statuses) == {200, 429}
    assert ask(gateway.port, gateway.key) == 200
    assert gateway.status("/readyz") == 200


def test_two_gateways_do_not_share_a_data_directory(make_gateway):
    first = make_gateway().start()
    port = first.port
    code, _, errors = run(first, "serve", PORT="0")
    assert code == 1
    assert "another hivegate serves from" in errors
    assert ask(port, first.key) == 200


@pytest.mark.parametrize("arguments", [["--help"], ["help"], ["help", "serve"], ["serve", "--help"], ["migrate", "-h"]])
def test_help_helps(make_gateway, arguments):
    code, output, _ = run(make_gateway(), *arguments)
    assert code == 0
    assert output.startswith("usage:") or "usage: hivegate" in output


@pytest.mark.parametrize("arguments", [[], ["dance"], ["serve", "fast"], ["migrate", "--wet"], ["org", "create"]])
def test_a_command_that_is_none_is_a_usage_error(make_gateway, arguments):
    code, _, errors = run(make_gateway(), *arguments)
    assert code == 64
    assert "hivegate" in errors


def test_migrate_says_what_it_would_do_and_does_it_once(make_gateway):
    gateway = make_gateway()
    code, output, errors = run(gateway, "migrate", "--dry-run")
    assert code == 0, errors
    assert "would apply 20261121030000_organizations.sql" in output
    code, output, _ = run(gateway, "migrate")
    assert "applied 20261121030000_organizations.sql" in output
    code, output, _ = run(gateway, "migrate")
    assert code == 0
    assert "up to date" in output


def test_an_organization_can_be_made_from_the_command_line(make_gateway):
    gateway = make_gateway().start()
    code, output, errors = run(gateway, "org", "create", "Acme", "--owner", "ann@acme.example")
    assert code == 0, errors
    made = dict(line.split("=", 1) for line in output.splitlines())
    assert ask(gateway.port, made["HIVEGATE_API_KEY"]) == 200


def test_health_tells_a_running_gateway_from_none(make_gateway):
    gateway = make_gateway().start()
    assert run(gateway, "health", gateway.url)[0] == 0
    gateway.stop()
    assert run(gateway, "health", gateway.url)[0] == 1
