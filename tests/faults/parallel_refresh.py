#!/usr/bin/env python3
"""Parallel use of one refresh token has exactly the documented winners.

Grace mode: all presenters get the same successor, each with an access token of its own; a replay
after the window ends the family. Strict mode: one winner, the others get invalid_grant, and the
family has ended. On PostgreSQL the presenters are spread over two copies of the server.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from gatehouse import Connection, Realm, Report, Server, arguments, database

GRACE = 5


class Presenters:
    """So many callers that present one token at the same moment."""

    def __init__(self, realm, servers, width):
        self.realm, self.width = realm, width
        self.connections = [Connection(servers[number % len(servers)].port) for number in range(width)]
        self.pool = ThreadPoolExecutor(width)
        self.together = threading.Barrier(width)

    def present(self, token):
        def one(connection):
            self.together.wait()
            return self.realm.refresh(connection, token)
        return list(self.pool.map(one, self.connections))


def refused(answer):
    return (answer.status, answer.error) == (400, "invalid_grant")


def shown(answers):
    return sorted(f"{answer.status} {answer.error or ''}".strip() for answer in answers)


def grace(report, realm, presenters, connection, email, rounds):
    token = realm.sign_in(connection, email).json["refresh_token"]
    wrong = []
    for _ in range(rounds):
        answers = presenters.present(token)
        granted = [answer.json for answer in answers if answer.status == 200]
        successors = {answer["refresh_token"] for answer in granted}
        distinct = {answer["access_token"] for answer in granted}
        if len(granted) == len(distinct) == presenters.width and len(successors) == 1 and token not in successors:
            token = successors.pop()
        else:
            wrong.append(f"{len(successors)} successors, {len(distinct)} access tokens: {shown(answers)}")
            token = realm.sign_in(connection, email).json["refresh_token"]
    report.check("grace: one successor, an access token each", not wrong, f"{rounds - len(wrong)}/{rounds} {wrong[:2] or ''}")

    first = realm.sign_in(connection, email).json["refresh_token"]
    successor = realm.refresh(connection, first).json
    time.sleep(GRACE + 1)
    report.check("grace over: the replay is refused", refused(realm.refresh(connection, first)))
    report.check("grace over: and has ended the family", refused(realm.refresh(connection, successor["refresh_token"])))
    report.check("grace over: with its access tokens", not realm.active(connection, successor["access_token"]))


def strict(report, realm, presenters, connection, email, rounds):
    wrong, alive = [], 0
    for _ in range(rounds):
        answers = presenters.present(realm.sign_in(connection, email).json["refresh_token"])
        winners = [answer.json for answer in answers if answer.status == 200]
        if len(winners) != 1 or sum(map(refused, answers)) != presenters.width - 1:
            wrong.append(shown(answers))
        for winner in winners:
            alive += not refused(realm.refresh(connection, winner["refresh_token"]))
            alive += realm.active(connection, winner["access_token"])
    report.check("strict: one winner, invalid_grant for the rest", not wrong, f"{rounds - len(wrong)}/{rounds} {wrong[:2] or ''}")
    report.check("strict: the family has ended afterwards", not alive, f"{alive} tokens alive" if alive else "")


def main():
    options = arguments(__doc__, engine=["both", "sqlite", "postgres"], rounds=1000, width=8)
    report = Report(f"parallel refresh, {options.rounds} rounds of {options.width}")
    for engine in ["sqlite", "postgres"] if options.engine == "both" else [options.engine]:
        store = database(engine)
        folder = None
        for mode, window in ((grace, f"{GRACE}s"), (strict, "0s")):
            settings = {"TOKENS__REFRESH_GRACE": window}
            servers = [Server(store, folder, **settings)]
            folder = servers[0].folder
            if engine == "postgres":
                servers.append(servers[0].copy(store, **settings))
            for server in servers:
                server.start()
            report.measured("engine, copies of the server", f"{engine}, {len(servers)}")
            realm = Realm(servers[0])
            assert realm.register(servers[0], "person@example.org").status == 201
            time.sleep(1.1)  # by then every copy knows the new client
            presenters = Presenters(realm, servers, options.width)
            start = time.monotonic()
            mode(report, realm, presenters, Connection(servers[0].port), "person@example.org", options.rounds)
            report.measured("seconds", f"{time.monotonic() - start:.1f}")
            for server in servers:
                server.kill()
    report.finish()


main()
