"""The way to the upstream: proxies, and what must not reach it."""

import http.server
import json
import threading

from load import ask


class Recorder(http.server.BaseHTTPRequestHandler):
    """Answers every completion and notes what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers)))
        body = json.dumps({"choices": [{"message": {"role": "assistant", "content": "ok"}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.seen = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def test_the_environments_proxy_is_not_used_but_the_configured_one_is(make_gateway):
    upstream, proxy = serve(), serve()
    url = f"http://127.0.0.1:{upstream.server_port}/v1"
    nowhere = "http://127.0.0.1:1"
    settings = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": url, "http_proxy": nowhere, "ALL_PROXY": nowhere}
    direct = make_gateway(settings).start()
    assert ask(direct.port, direct.key, model="openai/x") == 200
    assert upstream.seen[0][0] == "/v1/chat/completions"

    proxied = {"HIVEGATE_OUTBOUND_PROXY": f"http://127.0.0.1:{proxy.server_port}"}
    through = make_gateway(settings | proxied).start()
    assert ask(through.port, through.key, model="openai/x") == 200
    assert proxy.seen[0][0] == f"{url}/chat/completions"
    assert len(upstream.seen) == 1
    upstream.shutdown()
    proxy.shutdown()


def test_the_upstream_sees_the_gateways_key_and_nothing_of_the_callers(make_gateway):
    upstream = serve()
    settings = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"http://127.0.0.1:{upstream.server_port}/v1"}
    gateway = make_gateway(settings).start()
    assert ask(gateway.port, gateway.key, model="openai/x") == 200
    fields = {name.lower(): value for name, value in upstream.seen[0][1].items()}
    assert fields["authorization"] == "Bearer sk-x"
    assert gateway.key not in json.dumps(fields)
    assert fields["user-agent"].startswith("hivegate/")
    upstream.shutdown()


def test_the_log_holds_neither_keys_nor_prompts(make_gateway):
    gateway = make_gateway({"LOG_LEVEL": "debug", "OPENAI_API_KEY": "sk-very-secret"}).start()
    assert ask(gateway.port, gateway.key, content="my secret prompt") == 200
    assert ask(gateway.port, gateway.key[:-1], content="my secret prompt") == 401
    assert ask(gateway.port, gateway.key, content="my secret prompt", model="none") == 404
    gateway.stop()
    lines = gateway.output().splitlines()
    log = "\n".join(line for line in lines if line.startswith("{"))
    assert '"message":"request"' in log
    for secret in [gateway.key, gateway.key[8:30], "my secret prompt", "sk-very-secret"]:
        assert secret not in log
    for line in log.splitlines():
        entry = json.loads(line)
        if entry["message"] == "request":
            assert entry["request_id"].startswith("req_")
