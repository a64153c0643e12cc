"""Prices are taken over from a list, by the command line, beside a gateway that runs."""

import http.server
import json
import pathlib
import threading

import pytest

from conftest import wait_until
from test_process import run

PRICE = {"litellm_provider": "openai", "input_cost_per_token": 1e-07, "output_cost_per_token": 6e-07}
JUMP = {"litellm_provider": "openai", "input_cost_per_token": 1e-03}


@pytest.fixture
def gateway(make_gateway):
    return make_gateway().start()


def imported(gateway, prices, *more):
    path = pathlib.Path(gateway.data, "prices.json")
    path.write_text(prices if isinstance(prices, str) else json.dumps(prices))
    return run(gateway, "catalog", "import", str(path), "--format", "litellm", *more)


def test_prices_are_shown_first_and_written_when_that_is_wanted(gateway):
    list_ = {"gpt-4o-mini": PRICE, "gpt-4.1": {"litellm_provider": "openai", "input_cost_per_token": 2e-06}, "none": JUMP}
    change = "openai/gpt-4o-mini: input 0.15 -> 0.1\n"
    counts = "1 change, 1 are as they were, 0 were entered here and stay, 1 are of models"
    for _ in range(2):
        code, output, errors = imported(gateway, list_)
        assert code == 0, errors
        assert change in output and counts in output and "Nothing was written" in output
    code, output, errors = imported(gateway, list_, "--yes")
    assert code == 0, errors
    assert change in output and "Written." in output
    code, output, _ = imported(gateway, list_, "--yes")
    assert code == 0 and "0 change, 2 are as they were" in output
    assert run(gateway, "verify")[0] == 0


def test_what_is_doubtful_waits_until_it_is_approved(gateway):
    code, output, errors = imported(gateway, {"gpt-4o": JUMP, "gpt-4o-mini": PRICE}, "--yes")
    assert code == 0, errors
    assert "waits: openai/gpt-4o: input 2.5 -> 1000 (" in output and "1 wait for an operator" in output
    assert "0 change, 1 are as they were" in imported(gateway, {"gpt-4o-mini": PRICE})[1], "the rest was not written"
    code, output, _ = run(gateway, "prices", "list")
    assert code == 0 and output.count("openai/gpt-4o: input 2.5 -> 1000") == 1
    identifier = output.split()[0]
    # It waits already, and is not proposed twice.
    assert "1 wait for an operator" in imported(gateway, {"gpt-4o": JUMP}, "--yes")[1]
    assert run(gateway, "prices", "list")[1].split()[0] == identifier
    code, output, errors = run(gateway, "prices", "approve", identifier)
    assert code == 0 and "openai/gpt-4o: approved." in output, errors
    code, _, errors = run(gateway, "prices", "approve", identifier)
    assert code == 65 and "approved already" in errors
    assert "0 change, 1 are as they were" in imported(gateway, {"gpt-4o": JUMP})[1]
    assert run(gateway, "prices", "list")[1].strip() == "Nothing waits."
    assert run(gateway, "verify")[0] == 0


def test_what_is_rejected_stays_as_it_was(gateway):
    imported(gateway, {"gpt-4o": JUMP}, "--yes")
    identifier = run(gateway, "prices", "list")[1].split()[0]
    assert run(gateway, "prices", "reject", identifier)[0] == 0
    code, output, _ = imported(gateway, {"gpt-4o": JUMP}, "--yes")
    assert code == 0 and "1 were rejected before" in output
    assert run(gateway, "prices", "list")[1].strip() == "Nothing waits."
    assert run(gateway, "prices", "reject", "0199d2b0-7f5e-7c11-9a3e-5b1f6f0c2a41")[0] == 65


def test_two_files_that_disagree_wait_both(gateway):
    paths = [pathlib.Path(gateway.data, name) for name in ("one.json", "two.json")]
    for path, price in zip(paths, (1.2e-07, 1.3e-07)):
        path.write_text(json.dumps({"gpt-4o-mini": {"litellm_provider": "openai", "input_cost_per_token": price}}))
    code, output, errors = run(
        gateway, "prices", "import", str(paths[0]), str(paths[1]), "--format", "litellm", "--yes"
    )
    assert code == 0, errors
    assert "0 change" in output and "2 wait for an operator" in output
    listed = run(gateway, "prices", "list")[1]
    assert "litellm:one.json" in listed and "litellm:two.json" in listed


def test_a_list_with_a_fault_is_refused_as_a_whole(gateway):
    wrong = {"gpt-4o-mini": PRICE, "gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": "cheap"}}
    code, _, errors = imported(gateway, wrong, "--yes")
    assert code == 65 and "gpt-4o: input_cost_per_token is no number" in errors
    assert "1 change" in imported(gateway, {"gpt-4o-mini": PRICE})[1]


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.body
        self.send_response(200 if body else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def list_server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.body = b""
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("is_file", [True, False])
def test_a_source_is_imported_again_and_again(make_gateway, list_server, tmp_path, is_file):
    path = tmp_path / "prices.json"
    source = str(path) if is_file else f"http://127.0.0.1:{list_server.server_port}/prices.json"

    def publish(prices):
        list_server.body = json.dumps(prices).encode()
        (tmp_path / "new").write_bytes(list_server.body)
        (tmp_path / "new").rename(path)

    gateway = make_gateway({"PRICING_SOURCE": source, "PRICING_UPDATE_INTERVAL": "1"}).start()
    # As long as it is not there the gateway serves all the same.
    wait_until(lambda: "PRICING_SOURCE was not imported" in gateway.output(), what="a warning")
    assert gateway.metric("hivegate_price_age_seconds", 'provider="openai"') > 86400
    publish({"gpt-4o-mini": PRICE, "gpt-4o": JUMP})
    wait_until(lambda: gateway.metric("hivegate_price_age_seconds", 'provider="openai"') < 2 * 86400, what="an import")
    assert gateway.metric("hivegate_price_age_seconds", 'provider="anthropic"') > 86400
    listed = run(gateway, "prices", "list")[1]
    assert "openai/gpt-4o: input 2.5 -> 1000 (" in listed and "gpt-4o-mini" not in listed
    publish({"gpt-4o": JUMP | {"input_cost_per_token": 3e-06}})
    wait_until(lambda: run(gateway, "prices", "list")[1].strip() == "Nothing waits.", what="another import")


def test_check_config_says_what_an_interval_without_a_source_does(make_gateway):
    output = run(make_gateway(), "check-config", PRICING_UPDATE_INTERVAL="60")[1]
    assert "PRICING_UPDATE_INTERVAL=60  # set: seconds between two imports of PRICING_SOURCE; without effect" in output
    output = run(make_gateway(), "check-config", PRICING_SOURCE="/prices.json")[1]
    assert "without effect" not in output
    assert run(make_gateway(), "check-config", PRICING_UPDATE_INTERVAL="soon")[0] == 78


@pytest.mark.parametrize(
    "arguments, code",
    [
        ([], 64),
        (["import"], 64),
        (["import", "x"], 64),
        (["import", "x", "--format", "y"], 64),
        (["import", "x", "--format", "litellm", "--wet"], 64),
        (["import", "x", "y", "z", "--format", "litellm", "--format", "openrouter"], 64),
        (["import", "/nonexistent", "--format", "litellm"], 66),
        (["import", __file__, "--format", "litellm"], 65),
        (["--help"], 0),
    ],
)
def test_the_exit_code_says_what_is_wrong(make_gateway, arguments, code):
    assert run(make_gateway(), "catalog", *arguments)[0] == code
