"""API keys: what known ones cost, and what they notice of a flood of made-up ones."""

import os
import pathlib
import re
import subprocess
import time
from statistics import median

from processes import ROOT
from wrk import ask_with_known_key

MODULES = ("Base", "HTTPClient", "HTTPWire", "Identity", "JSON", "Loop", "Postgres", "Redis")
LIBRARIES = ("-lcrypto", "-largon2", "-lcurl", "-lpq", "-lhiredis")
FLOOD_A_SECOND = 10_000
FLOOD_CONNECTIONS = 50


def compile_bench(directory):
    """KeyBench.swift against the objects of the release build."""
    build = release_build()
    # Objects of files that are gone may lie there still.
    sources = {module: {path.name for path in (ROOT / "Sources" / module).rglob("*.swift")} for module in MODULES}
    objects = [
        str(path) for module in MODULES for path in (build / f"{module}.build").glob("*.o")
        if path.stem in sources[module]
    ]
    maps = [f"-fmodule-map-file={path}" for path in sorted((ROOT / "Sources").glob("C*/module.modulemap"))]
    # What SwiftPM passes as -package-name: the name of the folder as an identifier.
    package = re.sub("[^a-z0-9_]", "_", ROOT.name.lower())
    program = directory / "key-bench"
    headers = subprocess.run(["pkg-config", "--cflags", "libpq"], check=True, capture_output=True, text=True).stdout
    command = [
        "swiftc", "-O", "-swift-version", "6", "-parse-as-library", "-package-name", package,
        "-module-name", "KeyBench", "-enable-upcoming-feature", "NonisolatedNonsendingByDefault",
        "-I", str(build / "Modules"), "-Xcc", "-D_GNU_SOURCE",
        *(word for flag in [*maps, *headers.split()] for word in ("-Xcc", flag)),
        str(ROOT / "Tests/Bench/KeyBench.swift"), *objects, *LIBRARIES, "-o", str(program),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"KeyBench.swift does not compile:\n{done.stdout}{done.stderr}")
    return program


def release_build():
    path = subprocess.run(
        ["swift", "build", "-c", "release", "--show-bin-path"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    return pathlib.Path(path)


def figures(program, kind):
    output = subprocess.run([program, kind], check=True, capture_output=True, text=True).stdout
    return {name: float(value) for name, value in (line.split() for line in output.splitlines())}


FLOOD = """
local bit = require("bit")
local digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
local crcs = {}
for index = 0, 255 do
    local value = index
    for _ = 1, 8 do
        local rest = bit.rshift(value, 1)
        value = bit.band(value, 1) == 1 and bit.bxor(rest, 0xEDB88320) or rest
    end
    crcs[index] = value
end

local function key()
    local parts = { "hg_live_" }
    for index = 2, 31 do
        local digit = math.random(62)
        parts[index] = digits:sub(digit, digit)
    end
    local body = table.concat(parts)
    local crc = -1
    for index = 1, #body do
        crc = bit.bxor(bit.rshift(crc, 8), crcs[bit.band(bit.bxor(crc, body:byte(index)), 255)])
    end
    local rest, text = bit.bnot(crc), ""
    if rest < 0 then rest = rest + 4294967296 end
    for _ = 1, 6 do
        text = digits:sub(rest %% 62 + 1, rest %% 62 + 1) .. text
        rest = math.floor(rest / 62)
    end
    return body .. text
end

init = function() math.randomseed(%(seed)d) end
request = function() return wrk.format("GET", "/v1/models", { ["Authorization"] = "Bearer " .. key() }) end
-- Not all connections at once: those who flood do not keep time with each other.
delay = function() return math.random(0, 2 * %(delay)d + 1) end
"""


def flood(server, directory, seconds):
    """Made-up keys, all different, each from one of many connections every few milliseconds."""
    delay = round(1000 * FLOOD_CONNECTIONS / FLOOD_A_SECOND) - 1
    path = directory / "flood.lua"
    path.write_text(FLOOD % {"seed": int.from_bytes(os.urandom(3)), "delay": delay})
    return subprocess.Popen(
        ["wrk", "-t1", f"-c{FLOOD_CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(path),
         f"http://127.0.0.1:{server.port}"],
        stdout=subprocess.PIPE, text=True)


def measure_flood(bench, report, server, quick):
    rounds, seconds = (3, 2) if quick else (21, 2)
    ask_with_known_key(server, bench.directory, 1)
    quiet, flooded, rates = [], [], []
    for number in range(rounds):
        for is_flood in (False, True) if number % 2 == 0 else (True, False):
            if not is_flood:
                quiet.append(ask_with_known_key(server, bench.directory, seconds))
                continue
            attack = flood(server, bench.directory, seconds + 1)
            time.sleep(0.5)
            flooded.append(ask_with_known_key(server, bench.directory, seconds))
            output = attack.communicate()[0]
            rates.append(float(re.search(r"Requests/sec: *([\d.]+)", output).group(1)))
            refused = int(re.search(r"Non-2xx or 3xx responses: (\d+)", output).group(1))
            if refused != int(re.search(r"(\d+) requests in", output).group(1)):
                raise SystemExit(f"a made-up key was let in:\n{output}")
    report.add("made-up keys a second in the flood", f"{median(rates):.0f}")
    for name, goal in (("p50", None), ("p99", 1.5)):
        before, during = (median(result[name] for result in results) / 1000 for results in (quiet, flooded))
        ratio = during / before
        report.add(
            f"known keys during the flood, {name}", f"{during:.2f} ms", f"without {before:.2f} ms", ratio,
            f"≤ {goal}" if goal else "", ratio <= goal if goal else None)


def measure_keys(bench, report, server, quick):
    program = compile_bench(bench.directory)
    plain, limited = figures(program, "plain"), figures(program, "limited")
    report.bound(f"memory of {plain['known']:.0f} known keys", plain["megabytes"], "MB", 60)
    report.bound("  with limits and three models each", limited["megabytes"], "MB", 60)
    report.bound("a known key resolved, without Redis", plain["microseconds"], "µs of CPU", 2, digits=2)
    measure_flood(bench, report, server, quick)
