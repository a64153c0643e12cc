"""A Redis: one of our own without anything on disk, words with it, and what it spends."""

import pathlib
import socket
from dataclasses import dataclass, field

import few_requests
from processes import Server
from whole_answers import Case


class Redis(Server):
    """`redis-server` as Hivegate starts it, on a socket, without a file to append to."""

    def __init__(self, name, directory, port=0):
        self.place = pathlib.Path(directory, name)
        self.place.mkdir()
        self.path = f"{self.place}/redis.sock"
        self.port = port
        command = [
            # Whoever nginx's worker is may come too.
            "redis-server", "--port", str(port), "--unixsocket", self.path, "--unixsocketperm", "777",
            "--dir", str(self.place), "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction",
        ]
        super().__init__(name, command, directory)
        self.wait_for(lambda: is_open(self.path), f"the start of {name}")

    def cpu_seconds(self):
        return run_seconds(self.pid)


def is_open(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def run_seconds(pid):
    """What all threads of a process have run, to the nanosecond. Threads that have ended are not in it."""
    threads = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def own_redis(hivegate):
    """The number of the process that a Hivegate with databases of its own has started."""
    return int((hivegate.data / "redis" / "redis.pid").read_text())


def encoded(*arguments):
    """A command as it goes over the wire."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        if not isinstance(argument, bytes):
            argument = str(argument).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(argument), argument))
    return b"".join(parts)


@dataclass
class CaseWithRedis(Case):
    """A case that also counts what its Redis, the process `redis`, spends, and leaves nobody unfinished work."""

    redis: int = 0
    of_redis: list[float] = field(default_factory=list)

    def run(self, directory, seconds):
        before = run_seconds(self.redis)
        if getattr(self.server, "is_slow", False):
            self.samples.append(few_requests.measure(
                self.server, self.port, self.request, self.connections, self.server.each))
        else:
            super().run(directory, seconds)
        few_requests.settle(self.server)
        self.of_redis.append((run_seconds(self.redis) - before) * 1e6 / self.samples[-1].requests)

    def forget(self):
        super().forget()
        self.of_redis.clear()


class RedisConnection:
    """Sends bytes that were encoded before, and reads the answers to them."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.answers, self.bytes_read = self.socket.makefile("rb"), 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.answers.close()
        self.socket.close()

    def send(self, commands):
        self.socket.sendall(commands)

    def ask(self, *arguments):
        self.send(encoded(*arguments))
        return self.read()

    def bytes_of_answers(self, commands):
        """How long the answers to `commands` are, on the wire."""
        before = self.bytes_read
        self.send(b"".join(commands))
        for _ in commands:
            self.read()
        return self.bytes_read - before

    def skip(self, count):
        """Takes that many bytes of answers, and looks at none."""
        while count > 0:
            taken = self.socket.recv(min(count, 1 << 18))
            if not taken:
                raise SystemExit("Redis has hung up")
            count -= len(taken)

    def read(self):
        line = self.answers.readline()
        self.bytes_read += len(line)
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            length = int(rest)
            if length < 0:
                return None
            self.bytes_read += length + 2
            return self.answers.read(length + 2)[:-2]
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest
        raise SystemExit(f"Redis answers {line!r}")
