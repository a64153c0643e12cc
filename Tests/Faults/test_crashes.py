"""Gateways, PostgreSQL and Redis are killed under load: no charge is lost, none is made twice, and no money leaks.

`make test-money` runs this; FULL=1 as often as the product promises.
"""

import contextlib
import http.client
import itertools
import json
import os
import random
import signal
import subprocess
import threading
import time

from answering_provider import Provider
from conftest import wait_until
from test_limits import CHAT
from test_money import INPUT, LONGEST, MODEL, OUTPUT, PaidScene

FULL = os.environ.get("FULL") == "1"
KILLS = int(os.environ.get("KILLS", 100 if FULL else 8))
DATABASE_CRASHES = 2 if FULL else 1
CALLS = int(os.environ.get("CALLS", 1_000_000 if FULL else 0))
CALLERS = 60
DOLLAR = 1_000_000_000


class Served(Provider):
    """Remembers how much of everything it has served, whoever has heard of it."""

    def __init__(self, resources, seed):
        self.served, self.tokens = 0, 0
        self.random = random.Random(seed)
        super().__init__(resources, pause=0.01, usage=self.use)

    def use(self, _):
        with self.lock:
            completion = self.random.randint(1, LONGEST)
            self.served += 1
            self.tokens += completion
        return 40, completion


class Callers:
    """Ask one gateway, again and again, and remember what was answered to the end: by the name of the request."""

    def __init__(self, gateway, key):
        self.gateway, self.key = gateway, key
        self.numbers = itertools.count()
        self.costs, self.statuses, self.lock = {}, {}, threading.Lock()
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(CALLERS)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a request hangs"

    def run(self):
        connection = None
        while not self.is_over.is_set():
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=40)
                status = self.ask(connection)
            except (OSError, http.client.HTTPException):
                connection, status = None, "broken"
            with self.lock:
                self.statuses[status] = self.statuses.get(status, 0) + 1
            if status != 200:
                time.sleep(0.05)

    def ask(self, connection):
        message = {"role": "user", "content": f"question {next(self.numbers)}"}
        body = {"model": MODEL, "messages": [message], "max_tokens": LONGEST}
        connection.request("POST", CHAT, json.dumps(body), {"Authorization": f"Bearer {self.key}"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status == 200:
            usage = json.loads(text)["usage"]
            with self.lock:
                cost = usage["prompt_tokens"] * INPUT + usage["completion_tokens"] * OUTPUT
                self.costs[answer.getheader("x-request-id")] = cost
        return answer.status


class Crashing:
    def __init__(self, resources, seed):
        self.random = random.Random(seed)
        self.provider = Served(resources, seed)
        self.scene = PaidScene(resources, self.provider, count=3)
        self.gateways = self.scene.gateways.gateways
        self.databases = self.scene.gateways.databases
        key = self.scene.key()
        self.budget, self.wallet = self.scene.grant(20_000 * DOLLAR), self.scene.grant(10_000 * DOLLAR, "wallet")
        self.scene.sql(
            "INSERT INTO ledger_transfers (id, org_id, debit, credit, amount_nano, reason, reference) VALUES "
            f"(gen_random_uuid(), '{self.scene.organization}', 'cash', 'wallet', {10_000 * DOLLAR}, 'top_up', 'test')")
        self.callers = [Callers(gateway, key).start() for gateway in self.gateways]
        resources.callback(lambda: [callers.is_over.set() for callers in self.callers])

    @property
    def answered(self):
        return sum(len(callers.costs) for callers in self.callers)

    def kill_a_gateway(self):
        gateway = self.random.choice(self.gateways)
        gateway.process.send_signal(signal.SIGKILL)
        gateway.process.wait()
        time.sleep(self.random.uniform(0, 1))
        gateway.start()

    def crash_postgres(self):
        self.databases.crash(self.databases.postgres)
        time.sleep(self.random.uniform(0, 3))
        self.databases.start_postgres()
        self.wait_for_calls()

    def kill_redis(self):
        # What is known of those who died before is in there, until others have found it.
        time.sleep(25)
        self.databases.crash(self.databases.redis)
        time.sleep(self.random.uniform(0, 3))
        self.databases.start_redis()
        self.wait_for_calls()

    def wait_for_calls(self):
        """All gateways serve again, and nothing from before is under way."""
        for callers in self.callers:
            before = len(callers.costs)
            wait_until(lambda: len(callers.costs) > before + CALLERS, what="calls that are answered again", limit=60)
        time.sleep(1)

    def run(self):
        """One fault at a time."""
        faults = [self.kill_a_gateway] * KILLS
        for fault in (self.crash_postgres, self.kill_redis):
            for _ in range(DATABASE_CRASHES):
                faults.insert(self.random.randrange(len(faults)), fault)
        for fault in faults:
            time.sleep(self.random.uniform(0.5, 1.5))
            fault()
            if fault == self.kill_a_gateway:
                # The next to die is another's neighbour: all have begun to work.
                self.wait_for_calls()
        while self.answered < CALLS:
            time.sleep(1)
        for callers in self.callers:
            callers.stop()
        for gateway in self.gateways:
            gateway.process.send_signal(signal.SIGTERM)
        for gateway in self.gateways:
            assert gateway.process.wait(60) == 0, gateway.output()[-2000:]

    def command(self, *words):
        return subprocess.run(
            [self.gateways[0].program, *words], env={"PATH": "/usr/bin:/bin"} | self.scene.gateways.environment,
            capture_output=True, text=True, cwd="/")


def test_whoever_is_killed_no_charge_is_lost_or_doubled_and_no_money_leaks():
    seed = int(os.environ.get("SEED", time.time()))
    print("seed", seed)
    with contextlib.ExitStack() as resources:
        crashing = Crashing(resources, seed)
        crashing.run()
        sql = crashing.scene.sql
        # Nobody speaks for what the dead held, nor for what was on its way.
        time.sleep(16)
        drained = crashing.command("drain", "--take-back")
        assert drained.returncode == 0, drained.stderr
        print(drained.stdout)

        events = dict(
            line.split("|") for line in sql(
                "SELECT request_id, sum(charge_nano) FROM usage_events WHERE outcome = 'answered' GROUP BY id, request_id"
            ).splitlines())
        answered = {name: cost for callers in crashing.callers for name, cost in callers.costs.items()}
        statuses = [callers.statuses for callers in crashing.callers]
        print(len(answered), "answered,", len(events), "charged,", crashing.provider.served, "served,", statuses)
        assert len(answered) > 1000 and KILLS > 0
        # What was answered was charged: once, and what it cost.
        lost = {name for name, cost in answered.items() if int(events.get(name, -1)) != cost}
        assert not lost, f"{len(lost)} of {len(answered)} were not charged as answered"
        assert int(sql("SELECT count(*) FROM usage_events WHERE attempt > 0")) == len(events)
        # What was served is charged, or known to be lost; and never both, nor what nobody served.
        orphans = int(sql("SELECT count(*) FROM usage_events WHERE outcome = 'orphaned'"))
        others = int(sql("SELECT count(*) FROM usage_events WHERE outcome NOT IN ('answered', 'orphaned')"))
        print(orphans, "orphaned,", others, "others")
        assert len(events) + orphans >= crashing.provider.served
        assert len(events) <= crashing.provider.served
        assert sql(
            "SELECT count(*) FROM (SELECT FROM usage_events GROUP BY id HAVING count(DISTINCT outcome) > 1) AS told"
        ) == "0"
        # All sums are the same, and nothing is held any more.
        settled = {int(amount) for amount in sql("SELECT settled_nano FROM money_limits").splitlines()}
        charged = sum(map(int, events.values()))
        assert settled == {charged}
        paid = int(sql("SELECT sum(amount_nano) FROM ledger_transfers WHERE credit IN ('usage_revenue', 'commission_revenue')"))
        assert paid == charged
        assert sql("SELECT sum(granted_nano) FROM money_limits") == "0"
        assert int(sql("SELECT balance_nano FROM ledger_accounts WHERE kind = 'wallet'")) == 10_000 * DOLLAR - charged
        verified = crashing.command("verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
