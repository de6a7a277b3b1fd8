#!/usr/bin/env python3
"""Five copies that start at once on an empty PostgreSQL database become one installation.

One default tenant, one key set, one first administrator, and the administrator's one-time password
shown by one copy only.
"""

import json
import os
import pty
import re
import subprocess
import threading
import time
from collections import Counter

from gatehouse import Postgres, Report, Server, arguments, wait_until

COPIES = 5


class Terminal:
    """Runs a copy on a terminal, where alone it shows secrets, and keeps what it printed."""

    def __init__(self, server):
        self.text = b""
        ours, theirs = pty.openpty()
        server.process = subprocess.Popen([server.binary, "serve"], cwd=server.folder, env=server.environment,
                                          stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
        os.close(theirs)
        threading.Thread(target=self.read, args=[ours], daemon=True).start()

    def read(self, ours):
        try:
            while chunk := os.read(ours, 4096):
                self.text += chunk
        except OSError:  # the copy has ended
            os.close(ours)

    def plain(self):
        return re.sub(rb"\x1b\[[0-9;]*m", b"", self.text).decode(errors="replace")


def one_round(postgres, number):
    class Database:
        url = postgres.create(f"round{number}")

    first = Server(Database)
    copies = [first] + [first.copy(Database) for _ in range(COPIES - 1)]
    for copy in copies:
        # Without these the first administrator gets a made-up password, shown on the terminal.
        del copy.environment["GATEHOUSE_ADMIN__EMAIL"], copy.environment["GATEHOUSE_ADMIN__PASSWORD"]
        copy.log.touch()
    start = time.monotonic()
    terminals = [Terminal(copy) for copy in copies]
    try:
        for copy in copies:
            copy.wait_ready(60)
        seconds = time.monotonic() - start
        # Soon after the start one of them publishes the next key of each algorithm, and within a
        # second all of them know it.
        settled = wait_until("the same keys everywhere", lambda: published(copies), 10)
        time.sleep(0.2)
        rows = {what: rows_of(first.cli(what, "list")) for what in ("tenant", "user", "keys")}
        states = Counter((key["alg"], key["state"]) for key in rows["keys"])
    except Exception as error:
        raise AssertionError(f"{error}\n" + "\n".join(terminal.plain()[-800:] for terminal in terminals)) from error
    finally:
        for copy in copies:
            copy.kill()
    return {
        "seconds": seconds,
        "tenants": len(rows["tenant"]),
        "users": len(rows["user"]),
        "settled": settled,
        "keys": sorted(states.items()),
        "shown": sum(bool("One-time password" in terminal.plain()) for terminal in terminals),
        "panics": sum("panicked" in terminal.plain() for terminal in terminals),
    }


def published(copies):
    """Whether every copy publishes the same keys, two for each algorithm."""
    sets = [copy.send("GET", "/.well-known/jwks.json").json["keys"] for copy in copies]
    algorithms = Counter(key["alg"] for key in sets[0])
    return len({json.dumps(sorted(key["kid"] for key in keys)) for keys in sets}) == 1 and set(algorithms.values()) == {2}


def rows_of(listing):
    """`list --json` prints an array, or an object with one."""
    return listing if isinstance(listing, list) else next(value for value in listing.values() if isinstance(value, list))


def main():
    options = arguments(__doc__, rounds=50)
    report = Report(f"{COPIES} copies start at once on an empty database, {options.rounds} rounds")
    postgres = Postgres()
    results, failures = [], []
    for number in range(options.rounds):
        try:
            results.append(one_round(postgres, number))
        except AssertionError as error:
            failures.append(str(error))

    def each(what, value):
        seen = [result[what] for result in results]
        others = [other for other in seen if other != value]
        return bool(seen) and not others, f"seen {others[:2]}" if others else ""

    report.check("every copy starts, is ready, and publishes the same keys", not failures, failures[:1] or "")
    if results:
        report.measured("slowest start of all five", f"{max(result['seconds'] for result in results):.2f} s")
        report.measured("longest until all publish the next keys, too", f"{max(result['settled'] for result in results):.2f} s")
    report.check("one default tenant", *each("tenants", 1))
    report.check("one first administrator", *each("users", 1))
    report.check("one active and one next key for each algorithm", *each("keys", [
        ((algorithm, state), 1) for algorithm in ("ES256", "EdDSA", "RS256") for state in ("active", "next")]))
    report.check("the password is shown by one copy only", *each("shown", 1))
    report.check("no panic", *each("panics", 0))
    report.finish()


main()
