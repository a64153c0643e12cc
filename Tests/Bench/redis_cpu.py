"""What Redis spends on admission, settling and a cached answer, beside a bare GET of that answer.

The functions are those that the program has loaded; their arguments are written here as `Gatekeeper` writes them.
"""

import struct
import time
import uuid
from statistics import median

from limited_organization import ENOUGH, LimitedOrganization
from redis_server import Redis, RedisConnection, encoded
from report import progress
from whole_answers import chat
from wrk import ask_once

ORGANIZATIONS = 2000
# Commands sent at a time, and connections that have sent some.
DEPTH, LANES = 16, 16
ANSWER = b"x" * 1024
ENTRY_OF_JOURNAL = b"e" * 300
RESERVED, TOOK = 500, 169
GENERATION = 7
UNLIMITED = 1e15
WALLET = 1e15
HOLD = 1_000_000
LIFE = 8 * 86_400
# Whose a hold is.
NOTE = b"n" * 120
LIBRARY = "hivegate_admission"
# The code of an admission that is refused for want of money.
LACKS_MONEY = 8


def loaded_library(program, owner):
    """The source of the functions, out of the Redis of a server that has admitted somebody."""
    organization = LimitedOrganization(
        program, owner, "redis-cpu", {"organization": {"requests_per_minute": ENOUGH}})
    ask_once(owner.port, chat("sandbox/echo", organization.key))
    with RedisConnection(f"{owner.data}/run/redis.sock") as redis:
        libraries = redis.ask("FUNCTION", "LIST", "LIBRARYNAME", f"{LIBRARY}*", "WITHCODE")
    if len(libraries) != 1:
        raise SystemExit(f"Redis has {len(libraries)} libraries of admission, not one")
    return dict(zip(libraries[0][::2], libraries[0][1::2]))[b"library_code"]


def packed(*numbers):
    return struct.pack(f"<{len(numbers)}d", *numbers)


class Organization:
    """The commands of its requests, encoded."""

    def __init__(self, suffix, now, number):
        # The same every time, so that states of before are met again.
        self.suffix, self.now = suffix, now
        self.uuid = uuid.UUID(int=number << 64 | 0x8000_0000_0000_0000 | number * 0x9E3779B97F4A7C15 % 2 ** 62)
        start = f"hg:{{{self.uuid.bytes[-1]:02x}}}:"
        self.state, self.journal = f"{start}o:{self.uuid}", f"{start}j"
        self.entry = f"{start}c:{self.uuid}:{number:064x}"
        self.subjects = ["o", f"u{uuid.UUID(int=number)}", f"k{uuid.UUID(int=number + 1)}", "mopenai/gpt-4o-mini"]
        self.identity = 1_234_567_890_123.0
        self.hold, self.wallet = b"h" + self.uuid.bytes, uuid.UUID(int=number + 2).bytes

    def setup(self):
        return [encoded("HSET", self.state, "g", GENERATION), encoded("SET", self.entry, ANSWER)]

    def fund(self, run):
        """Puts money into the wallet, for who knows Redis's run: it is told to those who lack money."""
        head = packed(run, self.now, self.now + 3_600_000, 0, 10_000, 256, LIFE)
        return encoded(
            "FCALL", f"fund{self.suffix}", 1, self.state, head, self.wallet, self.uuid.bytes, packed(WALLET))

    def get(self):
        return [encoded("GET", self.entry)]

    def unlimited(self):
        return [encoded("HMGET", self.state, "g", "x"), *self.get()]

    def admit(self, count, holds=False):
        """Requests and tokens of a minute, an hour and a day are limited, for each of `count` subjects."""
        limits = packed(*[ENOUGH] * 3, UNLIMITED, *[ENOUGH] * 3, UNLIMITED)
        holdings = [HOLD] if holds else []
        head = packed(1, RESERVED, self.now + 60_000, GENERATION, 0, LIFE, count, 0, len(holdings))
        arguments = [head + limits * count + packed(*holdings), *self.subjects[:count]]
        if holds:
            arguments += [b"b" + self.wallet, self.hold, NOTE]
        return [encoded("FCALL", f"admit{self.suffix}", 1, self.state, *arguments), *self.get()]

    def settle(self, count, holds=False):
        arguments = [
            packed(self.now, TOOK - RESERVED, -1, self.identity, count, 0, int(holds), 1, 0, *[HOLD // 2] * holds),
            *self.subjects[:count],
        ]
        if holds:
            arguments += [b"b" + self.wallet, self.hold]
        return [
            encoded("FCALL", f"settle{self.suffix}", 2, self.state, self.journal, *arguments, self.uuid.bytes,
                ENTRY_OF_JOURNAL)]


# What the row says, the commands, and the goal as a multiple of the bare GET.
KINDS = (
    ("GET", Organization.get, None),
    ("no limits: HMGET + GET", Organization.unlimited, None),
    ("admission of 1 subject + GET", lambda one: one.admit(1), 8),
    ("admission of 4 subjects + GET", lambda one: one.admit(4), 15),
    ("  settled, with an entry in the journal", lambda one: one.admit(4) + one.settle(4), 25),
    ("  the same with a hold of money", lambda one: one.admit(4, True) + one.settle(4, True), None),
)


class RedisCPU:
    """A Redis with the functions and the organizations in it."""

    def __init__(self, server, library):
        self.server, self.redis = server, RedisConnection(server.path)
        self.lanes = [RedisConnection(server.path) for _ in range(LANES)]
        name = self.redis.ask("FUNCTION", "LOAD", library).decode()
        self.suffix = name.removeprefix(LIBRARY)
        self.send([command for one in self.organizations() for command in one.setup()])
        for one in self.organizations():
            code, _, run = struct.unpack("<ddd", self.send(one.admit(1, holds=True))[0][:24])
            if code != LACKS_MONEY or self.send([one.fund(run)]) != [packed(1)]:
                raise SystemExit(f"a wallet without money is answered by {code}, and cannot be filled")

    def organizations(self):
        now = int(time.time() * 1000)
        return [Organization(self.suffix, now, number) for number in range(ORGANIZATIONS)]

    def send(self, commands):
        self.redis.send(b"".join(commands))
        return [self.redis.read() for _ in commands]

    def microseconds(self, make, rounds):
        """Of Redis's CPU for each request, over `rounds` times all organizations."""
        requests = [make(one) for one in self.organizations()]
        batches = [
            [command for request in requests[start:start + DEPTH] for command in request]
            for start in range(0, ORGANIZATIONS, DEPTH)]
        texts = [b"".join(batch) for batch in batches]
        self.check(batches[0])
        size = self.redis.bytes_of_answers(batches[0])
        before = self.server.cpu_seconds()
        for _ in range(rounds):
            self.keep_busy(texts, size)
        return (self.server.cpu_seconds() - before) * 1e6 / rounds / ORGANIZATIONS

    def keep_busy(self, texts, size):
        """Asks over all connections in turn. Redis has work all the time: going to sleep and waking up would be part of
        what a request costs, and the same for a cheap one and a dear one."""
        for number, text in enumerate(texts):
            lane = self.lanes[number % LANES]
            if number >= LANES:
                lane.skip(size)
            lane.send(text)
        for number in range(len(texts), len(texts) + LANES):
            self.lanes[number % LANES].skip(size)

    def check(self, commands):
        """That all of it was done, not refused: then it would be cheaper."""
        for command, answer in zip(commands, self.send(commands)):
            is_admission, is_settling = b"\r\nadmit" in command, b"\r\nsettle" in command
            if is_admission and struct.unpack("<d", answer[:8])[0] != 1 or is_settling and answer != 1:
                raise SystemExit(f"Redis answers {answer!r} to {command!r}")
            if command.startswith(b"*2\r\n$3\r\nGET") and answer != ANSWER:
                raise SystemExit("Redis has lost an answer")


def measure_redis_cpu(bench, report, program, owner, quick):
    library = loaded_library(program, owner)
    measured = RedisCPU(bench.start(Redis("redis-cpu", bench.directory)), library)
    # Short turns: what slows the machine down for a second is to meet all of them.
    rounds, passes = (5, 2) if quick else (31, 3)
    samples = {name: [] for name, _, _ in KINDS}
    for number in range(rounds + 1):
        progress(f"round {number} of {rounds}: CPU of Redis")
        for name, make, _ in KINDS if number % 2 == 0 else reversed(KINDS):
            spent = measured.microseconds(make, passes)
            # The first meets states that are not there yet.
            if number > 0:
                samples[name].append(spent)
    bare = median(samples["GET"])
    for name, _, goal in KINDS:
        if name == "GET":
            report.add("Redis: GET of 1 KB, 16 in a pipeline", f"{bare:.2f} µs of CPU")
        else:
            report.compare(f"Redis: {name}", median(samples[name]), bare, "µs of CPU", goal, beside="GET")
