#!/usr/bin/env python3
"""Runs a command with a private PostgreSQL, named to it by GATEHOUSE_TEST_POSTGRES.

    tests/faults/with_postgres.py cargo test --workspace
"""

import os
import signal
import subprocess
import sys

from gatehouse import Postgres

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the database is ended too
postgres = Postgres()
os.environ["GATEHOUSE_TEST_POSTGRES"] = f"postgres://gatehouse@127.0.0.1:{postgres.port}/postgres"
sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)
