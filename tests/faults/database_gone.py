#!/usr/bin/env python3
"""PostgreSQL goes away under traffic and comes back; the server stays.

While it is gone, what needs the database is answered 503 with Retry-After within a second, and
health, discovery and keys as ever. After its return everything works again without a restart, and
no refresh chain is broken. `--hang` freezes PostgreSQL (SIGSTOP) instead of stopping it: the
connections stay open and nothing answers.
"""

import os
import signal
import threading
import time
from collections import Counter
from typing import NamedTuple

from gatehouse import Connection, Lost, Postgres, Realm, Refused, Report, Server, arguments

WITHIN = 1.0
MARGIN = 0.25  # this program and its threads are late sometimes, too
STALENESS = 1.0
SETTINGS = {"TOKENS__REFRESH_GRACE": "60s"}


class Sample(NamedTuple):
    kind: str
    start: float
    seconds: float
    status: object
    retry_after: bool
    text: str


class Traffic:
    """One thread for each kind of request, as fast as it is answered, 100 a second at most."""

    def __init__(self, realm, port, token):
        self.samples, self.running = [], True
        self.token = token
        self.broken = []  # refusals of an acknowledged refresh token
        needs = {
            "token": realm.service_token,
            "refresh": lambda connection: self.refresh(realm, connection),
            "login": lambda connection: realm.login(connection, "person@example.org"),
            "introspect": lambda connection: realm.introspect(connection, self.token),
        }
        stays = {path: lambda connection, path=path: connection.send("GET", path) for path in (
            "/health", "/.well-known/openid-configuration", "/.well-known/jwks.json",
            f"/t/{realm.id}/.well-known/openid-configuration", f"/t/{realm.id}/.well-known/jwks.json")}
        self.needs, self.stays = list(needs), list(stays)
        self.threads = [threading.Thread(target=self.run, args=[kind, act, Connection(port)], daemon=True)
                        for kind, act in (needs | stays).items()]
        for thread in self.threads:
            thread.start()

    def refresh(self, realm, connection):
        answer = realm.refresh(connection, self.token)
        if answer.status == 200:
            self.token = answer.json["refresh_token"]
        elif answer.status != 503:
            self.broken.append(f"{answer.status} {answer.body[:200]!r}")
        return answer

    def run(self, kind, act, connection):
        while self.running:
            start = time.monotonic()
            try:
                answer = act(connection)
                status, text = answer.status, answer.body[:120].decode(errors="replace")
                retry_after = answer.headers.get("Retry-After", "").isdigit()
            except (Refused, Lost) as error:
                status, retry_after, text = type(error).__name__, False, str(error)
            seconds = time.monotonic() - start
            self.samples.append(Sample(kind, start, seconds, status, retry_after, text))
            time.sleep(max(0, 0.01 - seconds))

    def stop(self):
        self.running = False
        for thread in self.threads:
            thread.join()

    def between(self, kinds, start, end):
        return [sample for sample in self.samples if sample.kind in kinds and start <= sample.start < end]


def freeze(postgres, how):
    """Stops or continues PostgreSQL's main process and its children."""
    pid = postgres.process.pid
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        for process in [pid, *map(int, children.read().split())]:
            try:
                os.kill(process, how)
            except ProcessLookupError:
                pass


def main():
    options = arguments(__doc__, seconds=10, hang=False)
    report = Report(f"PostgreSQL {'hangs' if options.hang else 'is gone'} for {options.seconds} s under traffic")
    postgres = Postgres()
    server = Server(postgres, **SETTINGS)
    server.start()
    realm = Realm(server)
    assert realm.register(server, "person@example.org").status == 201
    traffic = Traffic(realm, server.port, realm.sign_in(server, "person@example.org").json["refresh_token"])

    time.sleep(3)
    gone = time.monotonic()
    freeze(postgres, signal.SIGSTOP) if options.hang else postgres.stop()
    time.sleep(2)
    readiness = server.send("GET", "/readyz")
    time.sleep(options.seconds - 2)
    if options.hang:
        freeze(postgres, signal.SIGCONT)
    else:
        postgres.start()
    back = time.monotonic()
    time.sleep(10)
    traffic.stop()

    before = [sample for sample in traffic.samples if sample.start + sample.seconds < gone]
    report.measured("requests before, while gone, after",
                    ", ".join(str(len(part)) for part in (
                        before, traffic.between(traffic.needs + traffic.stays, gone, back),
                        traffic.between(traffic.needs + traffic.stays, back, back + 60))))
    report.check("before: every request succeeds", all(sample.status == 200 for sample in before),
                 dict(Counter(sample.status for sample in before)))

    # A request under way at the very moment counts like one sent after it.
    for kind in traffic.needs:
        samples = [sample for sample in traffic.samples if sample.kind == kind
                   and sample.start < back - WITHIN and sample.start + sample.seconds >= gone]
        late = [sample for sample in samples if sample.seconds > WITHIN + MARGIN]
        # What changes nothing may be answered from memory for as long as memory may be behind.
        fresh = STALENESS if kind in ("token", "introspect") else 0.05
        wrong = [sample for sample in samples if sample.start > gone + fresh
                 and (sample.status != 503 or not sample.retry_after)]
        torn = [sample for sample in samples if sample.status not in (200, 503)]
        worst = max((sample.seconds for sample in samples), default=0)
        report.check(f"gone: {kind} is 503 with Retry-After", samples and not wrong and not torn,
                     f"{dict(Counter(sample.status for sample in samples))} {[s.text for s in (torn or wrong)[:1]] or ''}")
        report.check(f"gone: {kind} within a second", not late, f"worst {worst:.3f} s, late {len(late)} of {len(samples)}")
    for path in traffic.stays:
        samples = traffic.between([path], gone, back)
        worst = max((sample.seconds for sample in samples), default=0)
        report.check(f"gone: {path[-44:]} stays", samples and all(sample.status == 200 for sample in samples)
                     and worst <= WITHIN + MARGIN,
                     f"{dict(Counter(sample.status for sample in samples))}, worst {worst:.3f} s")
    report.check("gone: /readyz says 503", readiness.status == 503, f"{readiness.status} {readiness.body[:200]!r}")

    healed = max((sample.start + sample.seconds for sample in traffic.between(traffic.needs, back, back + 60)
                  if sample.status != 200), default=back) - back
    report.measured("last failure after the return", f"{healed:.2f} s")
    later = traffic.between(traffic.needs + traffic.stays, back + 5, back + 60)
    share = sum(sample.status == 200 for sample in later) / max(1, len(later))
    report.check("back: at least 99.9 % succeed within 5 s", share >= 0.999, f"{share:.4%} of {len(later)}")
    report.check("back: no refresh chain is broken", not traffic.broken, traffic.broken[:2] or "")
    report.check("back: the same process, never restarted", server.process.poll() is None)
    report.check("back: ready", server.ready())
    report.finish()


main()
