"""What docker/compose.yaml makes, made of processes: databases reached by passwords, and nginx with its own file."""

import base64
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile

from conftest import ROOT, Gateway, free_port, wait_until

POSTGRES = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name))


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Databases:
    """A PostgreSQL made as its image makes it, with docker/postgres.sql, and a Redis."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hivegate-databases-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.owner_password, self.password = secrets.token_hex(16), secrets.token_hex(16)
        self.postgres_port, self.redis_port = free_port(), free_port()
        self.master_key = self.folder / "master-key"
        self.processes = []
        self.data = self.folder / "postgres"

    def start(self):
        data = self.data
        data.mkdir()
        password_file = self.folder / "password"
        password_file.write_text(self.owner_password)
        if os.getuid() == 0:
            shutil.chown(data, "postgres", "postgres")
        self.master_key.write_text(f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}\n")
        self.master_key.chmod(0o400)
        self.run(
            [
                *(POSTGRES / "initdb", "-D", data, "-U", "hivegate_owner", f"--pwfile={password_file}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
            ]
        )
        self.start_postgres()
        self.start_redis()
        self.psql("postgres", "-c", "CREATE DATABASE hivegate")
        self.psql("hivegate", "-f", ROOT / "docker" / "postgres.sql")
        return self

    def start_postgres(self):
        self.postgres = self.spawn(
            POSTGRES / "postgres",
            *("-D", self.data, "-p", str(self.postgres_port), "-k", "", "-c", "fsync=off"),
        )
        wait_until(lambda: self.psql("postgres", "-c", "SELECT 1", check=False) == 0, what="the start of PostgreSQL")

    def start_redis(self):
        self.redis = self.spawn(
            "redis-server", "--port", str(self.redis_port), "--save", "", "--bind", "127.0.0.1")
        wait_until(lambda: listens(self.redis_port), what="the start of Redis")

    @staticmethod
    def crash(process):
        """Ends a database as a crash would, and all that it has started."""
        children = subprocess.run(
            ["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
        process.kill()
        process.wait()
        # A PostgreSQL that starts anew waits until those of the one before have gone, which they do by themselves.
        wait_until(lambda: not any(pathlib.Path("/proc", child).exists() for child in children), what="the end of all")

    @property
    def environment(self):
        """The gateways' own, as in compose.yaml."""
        place = f"127.0.0.1:{self.postgres_port}/hivegate"
        return {
            "DATABASE_URL": f"postgresql://hivegate_gateway:{self.password}@{place}",
            "DATABASE_OWNER_URL": f"postgresql://hivegate_owner:{self.owner_password}@{place}",
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}",
            "HIVEGATE_MASTER_KEY_FILE": str(self.master_key),
        }

    def psql(self, database, *arguments, user="hivegate_owner", check=True):
        password = {"hivegate_owner": self.owner_password, "hivegate_gateway": self.password}[user]
        result = subprocess.run(
            [
                *("psql", "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-qAt", "-h", "127.0.0.1"),
                *("-p", str(self.postgres_port), "-U", user, "-d", database, *arguments),
            ],
            env=os.environ | {"PGPASSWORD": password, "HIVEGATE_DATABASE_PASSWORD": self.password},
            capture_output=True,
            text=True,
        )
        if check and result.returncode != 0:
            raise AssertionError(f"psql {arguments}: {result.stderr}")
        return result.stdout.strip() if check else result.returncode

    def as_postgres(self, command):
        """PostgreSQL refuses to run as root."""
        if os.getuid() != 0:
            return command
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]

    def run(self, command):
        password_file = self.folder / "password"
        if os.getuid() == 0:
            shutil.chown(password_file, "postgres", "postgres")
        subprocess.run(self.as_postgres(command), check=True, stdout=subprocess.DEVNULL, cwd="/")

    def spawn(self, *command):
        log = open(self.folder / "log", "ab")
        command = self.as_postgres(list(command))
        self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, cwd="/"))
        return self.processes[-1]

    def remove(self):
        for process in self.processes:
            # PostgreSQL's fast shutdown; the same to Redis.
            process.send_signal(signal.SIGINT)
        for process in self.processes:
            process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


class DeafServer:
    """An address that answers nobody, as that of a container that has gone."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(0)
        self.port = self.socket.getsockname()[1]
        # Its queue is full: whoever connects now hears nothing.
        self.waiting = [socket.socket() for _ in range(4)]
        for client in self.waiting:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", self.port))

    def close(self):
        for client in [*self.waiting, self.socket]:
            client.close()


class LoadBalancer:
    """A real nginx with docker/nginx.conf; only names, ports and places are others."""

    def __init__(self, gateway_ports, changes=None):
        self.port = free_port()
        self.process = None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hivegate-nginx-", dir="/tmp"))
        # Its workers are nobody.
        self.folder.chmod(0o755)
        text = (ROOT / "docker" / "nginx.conf").read_text()
        changes = (changes or {}) | {"listen 8080;": f"listen 127.0.0.1:{self.port};", " /tmp/": f" {self.folder}/"}
        changes |= {f"gateway-{n}:8080": f"127.0.0.1:{port}" for n, port in enumerate(gateway_ports, start=1)}
        for old, new in changes.items():
            assert old in text, f"docker/nginx.conf says nothing of {old}"
            text = text.replace(old, new)
        (self.folder / "nginx.conf").write_text(text)

    def command(self, *arguments):
        return ["nginx", "-p", self.folder, "-e", "stderr", "-c", self.folder / "nginx.conf", *arguments]

    def start(self):
        checked = subprocess.run(self.command("-t"), capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(self.command("-g", "daemon off;"), stderr=self.log)
        wait_until(lambda: listens(self.port), what="the start of nginx")
        return self

    def output(self):
        return (self.folder / "log").read_text()

    def stop(self, signal_number=signal.SIGQUIT):
        self.process.send_signal(signal_number)
        return self.process.wait(60)

    def remove(self):
        if self.process and self.process.poll() is None:
            self.stop(signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)


class Client:
    """One kept connection to a gateway."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def call(self, method, path, body=None, credential=None):
        headers = {"Content-Type": "application/json"} if body else {}
        if credential:
            headers["Authorization"] = f"Bearer {credential}"
        self.connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None

    def close(self):
        self.connection.close()


class TwoGateways:
    """Two gateways, or `count`, on the same databases, a connection to each, and somebody who owns an organization."""

    def __init__(self, resources, *redis_commands, settings=None, count=2):
        databases = self.databases = Databases()
        resources.callback(databases.remove)
        databases.start()
        self.redis_port = databases.redis_port
        for command in redis_commands:
            assert self.redis(*command) == "OK"
        environment = databases.environment | {"HIVEGATE_KEY_PEPPERS": f"1:{'p' * 40}"} | (settings or {})
        self.gateways = [Gateway(environment | {"PORT": str(free_port())}) for _ in range(count)]
        for gateway in self.gateways:
            resources.callback(gateway.remove)
            gateway.start(wait=False)
        for gateway in self.gateways:
            gateway.credentials = {"HIVEGATE_URL": f"http://127.0.0.1:{gateway.environment['PORT']}"}
            wait_until(lambda: gateway.status("/readyz") == 200, what="readiness")
        self.clients = [Client(gateway.port) for gateway in self.gateways]
        for client in self.clients:
            resources.callback(client.close)
        self.environment = environment
        self.owner = self.make_organization(environment)

    def make_organization(self, environment, name="Acme", owner="ann@acme.example"):
        made = subprocess.run(
            [self.gateways[0].program, "org", "create", name, "--owner", owner],
            env={"PATH": "/usr/bin:/bin"} | environment,
            check=True,
            capture_output=True,
            text=True,
            cwd="/",
        )
        values = dict(line.split("=", 1) for line in made.stdout.splitlines())
        return {"email": values["HIVEGATE_OWNER_EMAIL"], "password": values["HIVEGATE_OWNER_PASSWORD"]}

    def redis(self, *arguments, check=True):
        command = ["redis-cli", "-p", str(self.redis_port), *arguments]
        return subprocess.run(command, check=check, capture_output=True, text=True).stdout.strip()

    def make_owner_operator(self):
        subprocess.run(
            [self.gateways[0].program, "operator", "add", self.owner["email"]],
            env={"PATH": "/usr/bin:/bin"} | self.environment, check=True, capture_output=True, cwd="/",
        )

    def sign_in(self):
        """The owner's token, from the first gateway."""
        status, session = self.clients[0].call("POST", "/api/auth/login", self.owner)
        assert status == 200
        return session["access_token"]
