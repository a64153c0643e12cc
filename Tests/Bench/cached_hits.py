"""A completion that is kept, given to somebody with a key and a limit: our CPU, beside nginx with Lua doing the same, and
doing less: finding the answer by the bytes of the request, which others who ask the same have typed otherwise."""

import json
from dataclasses import replace
from statistics import median

from limited_organization import ENOUGH, LimitedOrganization
from processes import HERE, Hivegate, Nginx, free_port, wait_until
from redis_server import CaseWithRedis, Redis, RedisConnection, own_redis
from whole_answers import chat, completion, run_interleaved
from wrk import ask_once

UNIT = "µs of CPU"
READS, TYPED = "that reads what is asked", "that takes it as it was typed"

# A window as most people write it: the present minute, and so much of the one before as the window still covers.
WINDOW = """
local time = redis.call('TIME')
local seconds = time[1] + time[2] / 1000000
local minute = math.floor(seconds / 60)
local known = redis.call('HMGET', KEYS[1], 'minute', 'count', 'before')
local count, before = 0, 0
if known[1] then
    local passed = minute - known[1]
    if passed == 0 then count, before = known[2] + 0, known[3] + 0 elseif passed == 1 then before = known[2] + 0 end
end
local used = count + before * (1 - seconds / 60 + minute)
if used + 1 > ARGV[1] + 0 then return {0, 0, 60} end
redis.call('HSET', KEYS[1], 'minute', minute, 'count', count + 1, 'before', before)
redis.call('EXPIRE', KEYS[1], 120)
return {1, math.floor(ARGV[1] - used - 1), 60}
"""


def yardstick(port, redis, window, key, reads):
    """nginx with what it needs to know of keys in a dictionary that its workers share."""
    return f"""
    lua_package_path '{HERE}/?.lua;/usr/share/lua/5.1/?.lua;;';
    lua_shared_dict keys 1m;
    init_by_lua_block {{
        require "resty.core"
        ngx.shared.keys:set("{key}", "organization")
        settings = {{ redis = "unix:{redis.path}", window = "{window}", limit = "{ENOUGH}",
            reads = {str(reads).lower()} }}
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /v1/chat/completions {{ content_by_lua_file {HERE}/nginx_cache.lua; }}
    }}
"""


def question(key):
    """Asked with the temperature at which answers are kept."""
    request = chat("openai/gpt-4o-mini", key)
    return replace(request, body=json.dumps(json.loads(request.body) | {"temperature": 0}))


def start_nginx(bench, request, key, reads=True):
    """`reads`: whether it finds the answer by what is asked, as we do, or by the bytes as they were typed."""
    name = "nginx-lua-reads" if reads else "nginx-lua-typed"
    redis = bench.start(Redis(f"{name}-redis", bench.directory))
    with RedisConnection(redis.path) as connection:
        window = connection.ask("SCRIPT", "LOAD", WINDOW).decode()
        port = free_port()
        modules = ("ndk_http_module", "ngx_http_lua_module")
        nginx = bench.start(Nginx(name, yardstick(port, redis, window, key, reads), bench.directory, modules))
        asked, _ = ask_once(port, request)
        connection.ask("SET", f"cache:organization:{asked['X-Question']}", completion())
    return nginx, port, redis.pid


def is_kept(port, request):
    fields, body = ask_once(port, request)
    if not fields["X-RateLimit-Remaining"] or body.decode() != completion():
        raise SystemExit(f"it is not limited, or answers something else: {fields} {body}")
    return fields["X-Cache"] == "HIT"


def measure_cached_hits(bench, report, program, upstream, owner, quick):
    organization = LimitedOrganization(
        program, owner, "cached", {"organization": {"requests_per_minute": ENOUGH}})
    request = question(organization.key)
    server = Hivegate(
        "cached", bench.directory, program, upstream, loops=1, databases_of=owner,
        settings={"RESPONSE_CACHE": "true"})
    bench.start(server).wait_until_ready()
    text = "a kept completion of 1 KB, key, 1 window"
    ours = CaseWithRedis(text, server, server.port, request, redis=own_redis(owner))
    peers = {}
    for label, reads in ((READS, True), (TYPED, False)):
        nginx, port, redis = start_nginx(bench, request, organization.key, reads)
        peers[label] = CaseWithRedis(text, nginx, port, request, redis=redis)
    for case in (ours, *peers.values()):
        wait_until(lambda: is_kept(case.port, request), "an answer that was kept")
    run_interleaved([*peers.values(), ours], bench.directory, *((3, 1) if quick else (9, 2)))
    spent = ours.median("microseconds_of_cpu")
    report.bound(text, spent, UNIT, 20)
    for label, peer in peers.items():
        report.compare(f"  beside nginx with Lua {label}", spent, peer.median("microseconds_of_cpu"), UNIT, 0.5)
    report.add(
        "  Redis besides", f"{median(ours.of_redis):.1f} {UNIT}", f"nginx {median(peers[READS].of_redis):.1f} {UNIT}")
    report.add(
        "  a second", f"{ours.median('requests_a_second'):.0f}",
        f"nginx {peers[READS].median('requests_a_second'):.0f}")
