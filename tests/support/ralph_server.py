"""Runs ralph's own application under .venv-lrs: `python ralph_server.py PORT`; its settings come from the environment.

ralph 5.1 keeps its file as it is for any other kind of store: made once, never added to. So the file store takes one
request and answers 500 «Statements bulk indexation failed» to the next. RALPH_TEST_APPENDS=1 lets it append.
"""

import os
import sys

import uvicorn
from ralph.backends.data.base import BaseOperationType
from ralph.backends.lrs.fs import FSLRSBackend

if os.environ.get("RALPH_TEST_APPENDS") == "1":
    FSLRSBackend.default_operation_type = BaseOperationType.APPEND

uvicorn.run("ralph.api:app", host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
