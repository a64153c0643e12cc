"""Checks docker/compose.yaml as far as that goes without an engine: what it names exists, no secret is in it, and where
the docker client knows `compose`, that one reads it too. Says what is wrong, and exits with 1."""

import os
import pathlib
import re
import subprocess
import sys

import yaml

FOLDER = pathlib.Path(__file__).resolve().parent
COMPOSE = FOLDER / "compose.yaml"
SECRETS = ["POSTGRES_PASSWORD", "HIVEGATE_DATABASE_PASSWORD", "HIVEGATE_KEY_PEPPERS"]


def faults(text):
    compose = yaml.safe_load(text)
    services = compose["services"]
    for name, service in services.items():
        for other, condition in service.get("depends_on", {}).items():
            if other not in services:
                yield f"{name} depends on {other}, which is no service"
            elif condition["condition"] != "service_healthy":
                yield f"{name} does not wait until {other} is healthy"
            elif "healthcheck" not in services[other] and "build" not in services[other]:
                yield f"{other} has no health check"
        for network in service.get("networks", []):
            if network not in compose["networks"]:
                yield f"{name} is on {network}, which is no network"
        for secret in service.get("secrets", []):
            if "environment" not in compose["secrets"].get(secret["source"], {}):
                yield f"{name} has the secret {secret['source']}, which does not come from outside"
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                if not (FOLDER / source).is_file():
                    yield f"{name} mounts {source}, which is no file"
            elif source not in compose["volumes"]:
                yield f"{name} mounts {source}, which is no volume"
        if "build" in service:
            root = (FOLDER / service["build"]["context"]).resolve()
            if not (root / service["build"]["dockerfile"]).is_file():
                yield f"{name} has no Dockerfile"
    for secret in SECRETS:
        uses = re.findall(rf"\$\{{{secret}([^}}]*)\}}", text)
        if not uses or not all(use.startswith(":?") for use in uses):
            yield f"{secret} must come from outside and be required"
        if not any(len(use) > 2 for use in uses):
            yield f"nothing is said of a missing {secret}"


def composed():
    """What `docker compose` says is wrong; nothing where there is no such command."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode != 0:
        return
    command = ["docker", "compose", "-f", str(COMPOSE), "config", "--quiet"]
    environment = os.environ | dict.fromkeys([*SECRETS, "HIVEGATE_MASTER_KEY"], "checked")
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    if result.returncode != 0:
        yield result.stderr.strip()


def main():
    found = list(faults(COMPOSE.read_text()))
    try:
        found += composed()
    except FileNotFoundError:
        pass  # There is no docker client at all.
    for fault in found:
        print(f"docker/compose.yaml: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
