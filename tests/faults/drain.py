#!/usr/bin/env python3
"""SIGTERM under keep-alive load loses no request.

The clients do what a load balancer does: they look at /readyz, send nothing new to a copy that is
not ready, and honour `Connection: close`. One copy over SQLite, and a rolling restart of two copies
over one PostgreSQL.
"""

import threading
import time
import uuid
from collections import Counter

from gatehouse import Connection, Lost, Realm, Refused, Report, Server, arguments, database

CLIENTS = 16
SETTINGS = {"HTTP__DRAIN_DELAY": "2s"}
EXIT_WITHIN = 30


class Balancer(threading.Thread):
    """Knows which copies are ready, as of a tenth of a second ago."""

    def __init__(self, servers):
        super().__init__(daemon=True)
        self.servers, self.targets = servers, list(servers)
        self.running = True

    def run(self):
        while self.running:
            self.targets = [server for server in self.servers if server.ready()]
            time.sleep(0.1)


class Client(threading.Thread):
    """Keeps a connection to each copy and uses those that are ready, in turn."""

    def __init__(self, realm, balancer):
        super().__init__(daemon=True)
        self.realm, self.balancer = realm, balancer
        self.running = True
        self.statuses, self.lost, self.users = Counter(), [], []
        self.connections = {}

    def run(self):
        turn = 0
        while self.running:
            turn += 1
            targets = self.balancer.targets
            if not targets:
                time.sleep(0.02)
                continue
            server = targets[turn % len(targets)]
            connection = self.connections.setdefault(server.port, Connection(server.port))
            try:
                if turn % 5:
                    answer = self.realm.service_token(connection)
                else:
                    answer = self.realm.register(connection, f"{uuid.uuid4().hex}@example.org")
                self.statuses[answer.status] += 1
                if answer.status == 201:
                    self.users.append(answer.json["id"])
                elif answer.status != 200:
                    self.lost.append(f"{answer.status} {answer.body[:200]!r}")
            except (Refused, Lost) as error:
                self.lost.append(f"{type(error).__name__} {error}")


def drill(report, engine, rounds):
    store = database(engine)
    servers = [Server(store, **SETTINGS)]
    if engine == "postgres":
        servers.append(servers[0].copy(store, **SETTINGS))
    for server in servers:
        server.start()
    realm = Realm(servers[0])
    time.sleep(1.1)  # by then every copy knows the new client
    balancer = Balancer(servers)
    balancer.start()
    clients = [Client(realm, balancer) for _ in range(CLIENTS)]
    for client in clients:
        client.start()

    codes, seconds, unready = [], [], []
    for number in range(rounds):
        server = servers[number % len(servers)]
        time.sleep(1.5)
        start = time.monotonic()
        server.terminate()
        while server.ready():
            time.sleep(0.01)
        unready.append(time.monotonic() - start)
        codes.append(server.process.wait(60))
        seconds.append(time.monotonic() - start)
        server.start()
    time.sleep(0.5)
    for client in clients:
        client.running = False
    for client in clients:
        client.join()
    balancer.running = False

    statuses = sum((client.statuses for client in clients), Counter())
    lost = [text for client in clients for text in client.lost]
    users = [user for client in clients for user in client.users]
    missing = [user for user in users if realm.user(servers[0], user).status != 200]
    title = f"{engine}, {len(servers)} {'copies' if len(servers) > 1 else 'copy'}"
    report.measured(f"{title}: answers over {rounds} restarts", dict(statuses))
    report.check(f"{title}: no request is lost", statuses.total() > 50 * rounds and not lost, lost[:3] or "")
    report.check(f"{title}: every acknowledged user is there", not missing, f"{len(users)} users" if not missing else missing[:3])
    report.check(f"{title}: /readyz says no within 0.5 s", max(unready) <= 0.5, f"worst {max(unready):.2f} s")
    report.check(f"{title}: exit code 0", set(codes) == {0}, codes if set(codes) != {0} else "")
    report.check(f"{title}: gone within {EXIT_WITHIN} s", max(seconds) <= EXIT_WITHIN, f"worst {max(seconds):.2f} s")


def main():
    options = arguments(__doc__, engine=["both", "sqlite", "postgres"], rounds=4)
    report = Report(f"SIGTERM under load, {CLIENTS} keep-alive clients")
    for engine in ["sqlite", "postgres"] if options.engine == "both" else [options.engine]:
        drill(report, engine, options.rounds)
    report.finish()


main()
