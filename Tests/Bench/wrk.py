"""wrk as the load, and what the server spent on it."""

import http.client
import json
import subprocess
import time
from dataclasses import dataclass

SCRIPT = """
local requests = {}
wrk.method = %(method)s
wrk.body = %(body)s
for name, value in pairs(%(headers)s) do wrk.headers[name] = value end

init = function()
    for index = 1, %(pipeline)d do requests[index] = wrk.format() end
    request_text = table.concat(requests)
end

request = function() return request_text end
"""

# What a run prints last.
DONE = """
done = function(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\\nRESULT {"requests": %d, "microseconds": %d, "failed": %d, "p50": %f, "p99": %f}\\n',
        summary.requests, summary.duration, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
"""

DISTINCT = """
wrk.method = %(method)s
for name, value in pairs(%(headers)s) do wrk.headers[name] = value end
local start, rest, count = %(start)s, %(rest)s, 0

request = function()
    count = count + 1
    return wrk.format(nil, nil, nil, start .. count .. rest)
end
"""

KNOWN_KEY = """
local body = %(body)s
local headers = { ["Authorization"] = "Bearer %(key)s" }
request = function() return wrk.format("POST", "/v1/chat/completions", headers, body) end
delay = function() return 10 end
"""
KNOWN_KEY_CONNECTIONS = 16


@dataclass
class Request:
    """What wrk sends, over and over."""

    path: str
    method: str = "GET"
    body: str | None = None
    headers: tuple = ()

    def script(self, pipeline):
        return SCRIPT % {
            "method": json.dumps(self.method),
            "body": json.dumps(self.body) if self.body is not None else "nil",
            "headers": self.headers_in_lua(),
            "pipeline": pipeline,
        }

    def headers_in_lua(self):
        pairs = ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in self.headers)
        return "{" + pairs + "}"

    def next_body(self):
        """What one who is not wrk sends next."""
        return self.body


class DistinctRequest(Request):
    """Says something else each time, where its body has `NUMBER`: nobody has been asked that before."""

    def script(self, pipeline):
        start, rest = self.body.split("NUMBER")
        return DISTINCT % {
            "method": json.dumps(self.method), "headers": self.headers_in_lua(),
            # The next run of wrk counts from 1 again.
            "start": json.dumps(f"{start}{time.time_ns()} "), "rest": json.dumps(rest),
        }

    def next_body(self):
        return self.body.replace("NUMBER", str(time.time_ns()))


@dataclass
class Sample:
    microseconds_of_cpu: float
    requests: int
    requests_a_second: float
    p50: float
    p99: float


def run(script, directory, url, connections, seconds):
    """What wrk says of a run."""
    path = directory / "load.lua"
    path.write_text(script + DONE)
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(path), url],
        capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"wrk at {url} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout.split("RESULT ", 1)[1].splitlines()[0])


def ask_once(port, request):
    """The fields and the body of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(request.method, request.path, request.next_body(), dict(request.headers))
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{request.path} gets {answer.status}: {text.decode()}")
    return answer.headers, text


def ask_with_known_key(server, directory, seconds):
    """Completions with one known key, at a rate that leaves the machine mostly idle."""
    body = json.dumps({"model": "sandbox/echo", "messages": [{"role": "user", "content": "hello"}]})
    script = KNOWN_KEY % {"body": json.dumps(body), "key": server.key}
    result = run(script, directory, f"http://127.0.0.1:{server.port}", KNOWN_KEY_CONNECTIONS, seconds)
    if result["failed"]:
        raise SystemExit(f"known keys failed {result['failed']} of {result['requests']} times")
    return result


def measure(server, port, request, directory, seconds, connections=64, pipeline=1):
    """One run against `server`: its CPU time for each request, and what the client saw."""
    before = server.cpu_seconds()
    result = run(request.script(pipeline), directory, f"http://127.0.0.1:{port}{request.path}", connections, seconds)
    spent = server.cpu_seconds() - before
    if result["failed"] or not result["requests"]:
        raise SystemExit(f"{server.name} failed {result['failed']} of {result['requests']} requests")
    return Sample(
        microseconds_of_cpu=spent * 1e6 / result["requests"],
        requests=result["requests"],
        requests_a_second=result["requests"] * 1e6 / result["microseconds"],
        p50=result["p50"], p99=result["p99"],
    )
