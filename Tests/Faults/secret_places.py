"""Where a secret might lie that went through a gateway: what it wrote, what its databases hold, and in which forms."""

import base64
import pathlib

from own_databases import dump, redis


def forms(secret):
    """A secret, a text or bytes, as it may have been written: as it is, in hexadecimal, or in base64 within more."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode()}
    for skipped in range(3):
        # Whole groups of three bytes, whatever stands before and behind.
        whole = raw[skipped : skipped + (len(raw) - skipped) // 3 * 3]
        found |= {base64.b64encode(whole), base64.urlsafe_b64encode(whole)}
    return found


def log(gateway):
    return pathlib.Path(gateway.data, "gateway.log").read_bytes()


def server_logs(gateway):
    return b"".join(pathlib.Path(gateway.data, name).read_bytes() for name in ("postgres.log", "redis.log"))


def write_ahead_log(gateway):
    """What PostgreSQL wrote to disk: also what was deleted since, and what never was committed."""
    files = pathlib.Path(gateway.data, "postgres", "pg_wal").glob("0*")
    return b"".join(path.read_bytes() for path in files)


READERS = {
    "string": ["GET"],
    "hash": ["HGETALL"],
    "list": ["LRANGE", "0", "-1"],
    "set": ["SMEMBERS"],
    "zset": ["ZRANGE", "0", "-1", "WITHSCORES"],
    "stream": ["XRANGE", "-", "+"],
}


def redis_values(gateway):
    """Every key and its value, and what Redis remembers of slow commands."""
    text = redis(gateway, "SLOWLOG", "GET", "128")
    for key in redis(gateway, "--scan").decode().splitlines():
        kind = redis(gateway, "TYPE", key).decode().strip()
        command, *rest = READERS[kind]
        text += key.encode() + b"\n" + redis(gateway, command, key, *rest)
    return text


def redis_files(gateway):
    files = [path for path in pathlib.Path(gateway.data, "redis").rglob("*") if path.is_file()]
    assert any(".aof" in path.name for path in files)
    return b"".join(path.read_bytes() for path in files)


PLACES = {
    "the log": log,
    "the logs of the databases": server_logs,
    "the database": dump,
    "the write-ahead log": write_ahead_log,
    "Redis": redis_values,
    "the files of Redis": redis_files,
}
