"""gatekeeper.settings for the type checker, which loads them but connects nowhere."""

import os

from tests import environment as suite

suite.set_secrets()
os.environ[suite.SETUP] = "postgresql://postgres@/postgres?host=/nowhere"
suite.set_databases()

from gatekeeper.settings import *  # noqa: E402, F403 - after the environment is set
