#!/usr/bin/env python3
"""kill -9 under write load loses no acknowledged write.

Writers keep a ledger of what the server acknowledged. At a random moment the server is killed
(on PostgreSQL, in turn: the server, the database, both); after the restart every entry of the
ledger must still hold. What got no whole answer may have happened or not: it is in doubt, counted,
and only has to leave the account usable.
"""

import random
import threading
import time
import uuid

from gatehouse import Connection, Lost, Realm, Refused, Report, Server, arguments, database, wait_until

WRITERS = 8
FAMILIES = 12  # live ones for each writer
REMEMBERED = 200  # entries of earlier rounds that are looked at again

# What was in doubt is tried again with the previous token, however long the restart takes.
SETTINGS = {"TOKENS__REFRESH_GRACE": "60s"}


class Writer(threading.Thread):
    """Registers, signs in, refreshes and revokes until told to stop, and keeps the ledger."""

    def __init__(self, realm, port, email):
        super().__init__(daemon=True)
        self.realm, self.email = realm, email
        self.port, self.connection = port, Connection(port)
        self.running = True
        self.users = {}  # id → address, as acknowledged
        self.families = []  # the last acknowledged refresh token of each sign-in
        self.dead_refresh, self.dead_access = [], []  # revoked, as acknowledged
        self.acknowledged = self.in_doubt = 0
        self.wrong = []  # answers that are neither success nor "not now"

    def run(self):
        acts = [self.register, self.sign_in, self.refresh, self.refresh, self.revoke_refresh, self.revoke_access]
        while self.running:
            try:
                random.choice(acts)()
            except Lost:
                self.in_doubt += 1
            except Refused:
                time.sleep(0.01)

    def done(self, answer, status=200):
        """Whether the answer acknowledges; 503 says not now."""
        if answer.status == status:
            self.acknowledged += 1
            return True
        if answer.status != 503:
            self.wrong.append(f"{answer.status} {answer.body[:200]!r}")
        self.in_doubt += 1
        time.sleep(0.02)
        return False

    def register(self):
        email = f"{uuid.uuid4().hex}@example.org"
        answer = self.realm.register(self.connection, email)
        if self.done(answer, 201):
            self.users[answer.json["id"]] = email

    def sign_in(self):
        if len(self.families) < FAMILIES:
            answer = self.realm.sign_in(self.connection, self.email)
            if self.done(answer):
                self.families.append(answer.json["refresh_token"])

    def refresh(self):
        if self.families:
            place = random.randrange(len(self.families))
            answer = self.realm.refresh(self.connection, self.families[place])
            if self.done(answer):
                self.families[place] = answer.json["refresh_token"]

    def revoke_refresh(self):
        if len(self.families) > FAMILIES // 2:
            token = self.families.pop()  # whatever comes back, nobody uses it again
            if self.done(self.realm.revoke(self.connection, token)):
                self.dead_refresh.append(token)

    def revoke_access(self):
        answer = self.realm.service_token(self.connection)
        if self.done(answer):
            token = answer.json["access_token"]
            if self.done(self.realm.revoke(self.connection, token)):
                self.dead_access.append(token)


class Ledger:
    """Everything acknowledged so far, and whether it still holds."""

    def __init__(self, realm):
        self.realm = realm
        self.users, self.dead_refresh, self.dead_access = [], [], []
        self.lost = []

    def verify(self, writers, connection, everything=False):
        new = len(self.users), len(self.dead_refresh), len(self.dead_access)
        for writer in writers:
            self.users += writer.users.items()
            self.dead_refresh += writer.dead_refresh
            self.dead_access += writer.dead_access
            writer.families = [self.next_generation(connection, token) for token in writer.families]
            writer.families = [token for token in writer.families if token]

        def due(entries, new):
            if everything:
                return entries
            return entries[new:] + random.sample(entries[:new], min(new, REMEMBERED))

        for user, email in due(self.users, new[0]):
            answer = self.realm.user(connection, user)
            if answer.status != 200 or answer.json["email"] != email:
                self.lost.append(f"user {user}: {answer.status} {answer.body[:200]!r}")
        for token in due(self.dead_refresh, new[1]):
            answer = self.realm.refresh(connection, token)
            if (answer.status, answer.error) != (400, "invalid_grant"):
                self.lost.append(f"a revoked refresh token got {answer.status} {answer.body[:200]!r}")
        for token in due(self.dead_access, new[2]):
            if self.realm.active(connection, token):
                self.lost.append("a revoked access token is active")
        if self.users:
            answer = self.realm.login(connection, random.choice(self.users)[1])
            if answer.status != 200:
                self.lost.append(f"a registered user's login got {answer.status} {answer.body[:200]!r}")

    def next_generation(self, connection, token):
        answer = self.realm.refresh(connection, token)
        if answer.status == 200:
            return answer.json["refresh_token"]
        self.lost.append(f"an acknowledged refresh token got {answer.status} {answer.body[:200]!r}")
        return None


def main():
    options = arguments(__doc__, engine=["sqlite", "postgres"], rounds=50)
    report = Report(f"kill -9 under write load, {options.engine}, {options.rounds} rounds")
    store = database(options.engine)
    server = Server(store, **SETTINGS)
    server.start()
    realm = Realm(server)
    emails = [f"writer{number}@example.org" for number in range(WRITERS)]
    for email in emails:
        assert realm.register(server, email).status == 201
    ledger = Ledger(realm)
    restarts, healed, faults, wrong = [], [], [], []
    acknowledged = in_doubt = 0
    families = [[] for _ in emails]

    for round_number in range(options.rounds):
        writers = [Writer(realm, server.port, email) for email in emails]
        for writer, kept in zip(writers, families):
            writer.families = kept
            writer.start()
        time.sleep(random.uniform(0.3, 1.5))

        victim = "server" if options.engine == "sqlite" else ("server", "database", "both")[round_number % 3]
        if victim != "server":
            store.stop()
            time.sleep(random.uniform(0, 0.3))
        if victim != "database":
            server.kill()
        else:
            time.sleep(0.3)  # the writers go on against a server without a database
        for writer in writers:
            writer.running = False
        for writer in writers:
            writer.join()
        faults += store.faults()
        if victim != "server":
            store.start()
        if victim == "database":
            healed.append(wait_until("healed", server.ready, 30))
        else:
            restarts.append(server.start())

        acknowledged += sum(writer.acknowledged for writer in writers)
        in_doubt += sum(writer.in_doubt for writer in writers)
        wrong += [answer for writer in writers for answer in writer.wrong]
        ledger.verify(writers, Connection(server.port), everything=round_number + 1 == options.rounds)
        families = [writer.families for writer in writers]

    report.measured("acknowledged writes", acknowledged)
    report.measured("in doubt (no whole answer, or 503)", in_doubt)
    report.measured("users, revoked refresh tokens, revoked access tokens",
                    f"{len(ledger.users)}, {len(ledger.dead_refresh)}, {len(ledger.dead_access)}")
    report.check("enough was written to mean something", acknowledged > 20 * options.rounds, acknowledged)
    report.check("no acknowledged write is lost", not ledger.lost, ledger.lost[:3] or "")
    report.check("no answer under load but success and 503", not wrong, wrong[:3] or "")
    if options.engine == "sqlite":
        report.check("integrity_check and foreign_key_check after each kill", not faults, faults[:3] or "")
    if restarts:
        report.check("ready again within 5 s of the restart", max(restarts) <= 5, f"worst {max(restarts):.2f} s")
    if healed:
        report.check("heals within 5 s of the database's return", max(healed) <= 5, f"worst {max(healed):.2f} s")
    report.finish()


main()
