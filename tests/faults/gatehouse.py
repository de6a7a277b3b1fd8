"""What the fault drills share: private databases, copies of the server, requests, a tally.

Standard library only. Everything listens on loopback, and only processes started here are ended.
"""

import argparse
import atexit
import base64
import glob
import http.client
import json
import os
import pwd
import random
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[2]

# The drills measure durability and timing, not hashing: it costs the least that is allowed, and whoever
# has to wait for it waits instead of being told to come back. Everything comes from one address.
SETTINGS = {
    "ADMIN__EMAIL": "admin@example.org",
    "ADMIN__PASSWORD": "correct horse battery staple",
    "AUTH__REQUIRE_VERIFIED_EMAIL": "false",
    "PASSWORDS__ARGON2_MEMORY": "7168",
    "PASSWORDS__ARGON2_ITERATIONS": "5",
    "PASSWORDS__QUEUE": "1000",
    "PASSWORDS__QUEUE_TIMEOUT": "15s",
    "LIMITS__REGISTRATION": "off",
    "LIMITS__SIGN_UP": "off",
    "LIMITS__LOGIN": "off",
    "LIMITS__TOKEN_FAILURES": "off",
    "LIMITS__KEY_FAILURES": "off",
}


def arguments(about, **defaults):
    """Command line of a drill: `--binary` and one option for each default."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--binary", default=os.environ.get("GATEHOUSE_TEST_BINARY"), help="a built gatehouse")
    for name, default in defaults.items():
        if isinstance(default, (list, tuple)):
            parser.add_argument(f"--{name}", choices=default, default=default[0])
        elif isinstance(default, bool):
            parser.add_argument(f"--{name}", action="store_true")
        else:
            parser.add_argument(f"--{name}", type=type(default), default=default)
    options = parser.parse_args()
    built = [ROOT / "target" / profile / "gatehouse" for profile in ("release", "debug")]
    binary = options.binary or next((path for path in built if path.exists()), None)
    if binary is None:
        parser.error("no built gatehouse: run `cargo build` or give --binary")
    Server.binary = str(Path(binary).resolve())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended too
    return options


def free_port():
    """A port below the range of outgoing connections: a client that keeps trying a closed port
    inside that range can connect to itself and keep the server from coming back."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def scratch(prefix):
    """A folder of its own that is gone when the drill ends."""
    folder = Path(tempfile.mkdtemp(prefix=f"gatehouse-{prefix}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def wait_until(what, condition, seconds):
    """Waits for the condition and says how long it took."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.02)
    return time.monotonic() - start


class Sqlite:
    """The embedded database."""

    def __init__(self):
        self.path = scratch("sqlite") / "gatehouse.db"
        self.url = f"sqlite://{self.path}"

    def faults(self):
        """What the file's own checks say. They run on a copy: a reader that opens the real file
        would recover it before the server gets to."""
        copy = scratch("copy")
        for file in glob.glob(f"{self.path}*"):
            if not file.endswith("-shm"):
                shutil.copy(file, copy)
        database = sqlite3.connect(copy / self.path.name)
        found = [row for row in database.execute("PRAGMA integrity_check") if row != ("ok",)]
        found += database.execute("PRAGMA foreign_key_check").fetchall()
        database.close()
        shutil.rmtree(copy)
        return found


class Postgres:
    """A private PostgreSQL that this program starts and stops."""

    def __init__(self):
        self.folder = scratch("postgres")
        self.port = free_port()
        self.process = None
        self.as_user = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            names = {user.pw_name: user for user in pwd.getpwall()}
            user = names.get("postgres") or names["nobody"]
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.tool("initdb", "-D", self.folder / "data", "-U", "gatehouse", "-A", "trust",
                  "-E", "UTF8", "--locale=C", "--no-sync")
        atexit.register(self.stop)
        self.start()
        self.url = self.create("gatehouse")

    @staticmethod
    def program(name):
        """Debian keeps the server's programs off the path."""
        if found := shutil.which(name):
            return found
        installed = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
        return installed[-1] if installed else name

    def tool(self, name, *args, check=True):
        done = subprocess.run([self.program(name), *map(str, args)], cwd=self.folder, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, **self.as_user)
        if check and done.returncode:
            raise RuntimeError(f"{name}: {done.stderr}")
        return done

    def create(self, name):
        """A new, empty database."""
        self.tool("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "gatehouse", name)
        return f"postgres://gatehouse@127.0.0.1:{self.port}/{name}"

    def accepts(self):
        if self.process.poll() is not None:
            raise RuntimeError((self.folder / "log").read_text()[-2000:])
        return self.tool("pg_isready", "-h", "127.0.0.1", "-p", self.port, check=False).returncode == 0

    def start(self):
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen(
                [self.program("postgres"), "-D", self.folder / "data", "-p", str(self.port),
                 "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.as_user)
        return wait_until("PostgreSQL", self.accepts, 30)

    def stop(self, how=signal.SIGQUIT):
        """SIGQUIT is what `pg_ctl stop -m immediate` sends: no checkpoint, no goodbye."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    def faults(self):
        return []  # constraints are checked at each commit; there is no file of ours to check


def database(engine):
    return Sqlite() if engine == "sqlite" else Postgres()


class Refused(Exception):
    """Nobody listens: the request was not sent."""


class Lost(Exception):
    """The request was sent and no whole answer came: whether it took effect is unknown."""


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        """The OAuth error code, if this is one."""
        try:
            return self.json.get("error")
        except (ValueError, AttributeError):
            return None


class Connection:
    """A keep-alive connection; `Connection: close` in an answer is honoured."""

    def __init__(self, port, timeout=15):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def send(self, method, path, *, json_body=None, form=None, basic=None, bearer=None):
        headers, body = {}, None
        if json_body is not None:
            headers["Content-Type"], body = "application/json", json.dumps(json_body).encode()
        if form is not None:
            headers["Content-Type"], body = "application/x-www-form-urlencoded", urlencode(form).encode()
        if basic:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(basic).encode()).decode()
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        try:
            # As connection pools do: an idle connection with something to read was closed meanwhile.
            if self.http.sock and select.select([self.http.sock], [], [], 0)[0]:
                self.http.close()
            if self.http.sock is None:
                self.http.connect()
        except OSError as error:
            raise Refused(error) from error
        try:
            self.http.request(method, path, body, headers)
            answer = self.http.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        except (OSError, http.client.HTTPException) as error:
            self.http.close()
            raise Lost(repr(error)) from error

    def close(self):
        self.http.close()


class Server:
    """One copy of the server. Copies of one installation share database, folder and issuer."""

    binary = None

    def __init__(self, database, folder=None, issuer=None, **settings):
        self.port = free_port()
        self.issuer = issuer or f"http://localhost:{self.port}"
        self.folder = folder or scratch("server")
        self.log = self.folder / f"{self.port}.log"
        self.process = None
        own = {"BIND": f"127.0.0.1:{self.port}", "ISSUER": self.issuer,
               "DATABASE_URL": database.url, "DATA_DIR": str(self.folder / "data")}
        inherited = {name: value for name, value in os.environ.items()
                     if not name.startswith("GATEHOUSE_") and name != "DATABASE_URL"}
        self.environment = inherited | {f"GATEHOUSE_{name}": str(value)
                                        for name, value in (SETTINGS | own | settings).items()}
        atexit.register(self.kill)

    def copy(self, database, **settings):
        """Another copy of the same installation."""
        return Server(database, self.folder, self.issuer, **settings)

    def launch(self):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([self.binary, "serve"], cwd=self.folder, env=self.environment,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self, seconds=60):
        """Starts it and says after how many seconds it was ready."""
        self.launch()
        return self.wait_ready(seconds)

    def wait_ready(self, seconds=60):
        def ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"ended with {self.process.returncode}:\n{self.log.read_text()[-3000:]}")
            return self.ready()
        return wait_until("ready", ready, seconds)

    def ready(self):
        try:
            return self.send("GET", "/readyz").status == 200
        except (Refused, Lost):
            return False

    def kill(self):
        """kill -9"""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def terminate(self):
        self.process.terminate()

    def send(self, method, path, **what):
        """One request on a connection of its own."""
        connection = Connection(self.port)
        try:
            return connection.send(method, path, **what)
        finally:
            connection.close()

    def cli(self, *args, stdin=None):
        """The command line on the same database, its `--json` answer parsed."""
        done = subprocess.run([self.binary, *args, "--json"], cwd=self.folder, env=self.environment, input=stdin or "",
                              text=True, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"gatehouse {' '.join(args)}: exit {done.returncode}\n{done.stderr}")
        return json.loads(done.stdout)


class Realm:
    """A tenant with a client that may use the password grant: what the drills write to."""

    PASSWORD = "a long enough password"

    def __init__(self, server):
        made = expect(201, server.send("POST", "/v1/tenants", json_body={"name": "drill"})).json
        self.id, self.public_key, self.secret_key = made["id"], made["public_key"], made["secret_key"]
        client = server.cli("client", "create", "--name", "drill", "--tenant", self.id, "--grant", "password",
                            "--grant", "refresh_token", "--grant", "client_credentials",
                            "--scope", "openid", "--scope", "offline_access")
        self.client = client["client_id"], client["client_secret"]
        # A running server sees what the command line did within a second.
        wait_until("client seen", lambda: self.service_token(server).status == 200, 5)

    def service_token(self, connection):
        return connection.send("POST", f"/t/{self.id}/oauth/token", basic=self.client,
                               form={"grant_type": "client_credentials"})

    def register(self, connection, email):
        return connection.send("POST", "/v1/auth/register", bearer=self.public_key,
                               json_body={"email": email, "password": self.PASSWORD})

    def login(self, connection, email):
        return connection.send("POST", "/v1/auth/login", bearer=self.public_key,
                               json_body={"email": email, "password": self.PASSWORD})

    def user(self, connection, user_id):
        return connection.send("GET", f"/v1/users/{user_id}", bearer=self.secret_key)

    def sign_in(self, connection, email):
        return connection.send("POST", f"/t/{self.id}/oauth/token", basic=self.client, form={
            "grant_type": "password", "username": email, "password": self.PASSWORD,
            "scope": "openid offline_access"})

    def refresh(self, connection, token):
        return connection.send("POST", f"/t/{self.id}/oauth/token", basic=self.client,
                               form={"grant_type": "refresh_token", "refresh_token": token})

    def revoke(self, connection, token):
        return connection.send("POST", f"/t/{self.id}/oauth/revoke", basic=self.client, form={"token": token})

    def introspect(self, connection, token):
        return connection.send("POST", f"/t/{self.id}/oauth/introspect", basic=self.client, form={"token": token})

    def active(self, connection, token):
        return expect(200, self.introspect(connection, token)).json["active"]


def expect(status, answer):
    if answer.status != status:
        raise AssertionError(f"expected {status}, got {answer.status}: {answer.body[:500]!r}")
    return answer


class Report:
    """A short table of what was measured, and the tally that everything ends with."""

    def __init__(self, title):
        self.failed = self.passed = 0
        print(f"== {title}", flush=True)

    def measured(self, what, value):
        print(f"   {what:<58} {value}", flush=True)

    def check(self, what, holds, detail=""):
        self.passed += bool(holds)
        self.failed += not holds
        print(f"{'ok ' if holds else 'NOT'} {what:<58} {detail}", flush=True)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed else 0)
