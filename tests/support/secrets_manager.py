"""A stand-in for AWS Secrets Manager: its JSON protocol over HTTP, for as much of it as is read here.

Source: AWS, GetSecretValue; «Common errors»; JSON 1.1 protocol (`X-Amz-Target`, `__type`).
"""

import http.server
import json
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Self

ACCESS_KEY, REGION = "AKIDOFTHESETESTS", "eu-west-3"
_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=(\w+)/\d{8}/([\w-]+)/secretsmanager/aws4_request, ")


@dataclass
class Version:
    """A version of a secret."""

    value: str | bytes
    created_s: float = field(default_factory=time.time)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class SecretsManager:
    """Answers GetSecretValue; remembers what it was asked."""

    def __init__(self) -> None:
        self.secrets: dict[str, dict[str, Version]] = {}
        """Name → staging label → version."""
        self.fault: tuple[int, str] | None = None
        """Status and type of the error that answers everything."""
        self.asked: list[tuple[str, str]] = []
        """Name and staging label."""
        self.hang_s = 0.0
        handler = type("Handler", (_Handler,), {"manager": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def settings(self) -> dict[str, str]:
        """What a program needs to ask it."""
        return {
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": "of these tests alone",
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def put(self, name: str, value: Any, *, created_s: float | None = None) -> None:
        """Store a new version; the one before it becomes the previous one.

        Args:
            name: of the secret.
            value: text, bytes, or what becomes JSON.
            created_s: when it was made, since the epoch; None: now.
        """
        stages = self.secrets.setdefault(name, {})
        if "AWSCURRENT" in stages:
            stages["AWSPREVIOUS"] = stages["AWSCURRENT"]
        text = value if isinstance(value, (str, bytes)) else json.dumps(value)
        stages["AWSCURRENT"] = Version(text, time.time() if created_s is None else created_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    manager: SecretsManager

    def do_POST(self) -> None:
        manager = self.manager
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        signed = _SIGNED.match(self.headers.get("Authorization", ""))
        name = wanted["SecretId"].rpartition(":secret:")[2]
        stage = wanted.get("VersionStage", "AWSCURRENT")
        manager.asked.append((name, stage))
        time.sleep(manager.hang_s)
        if self.headers["X-Amz-Target"] != "secretsmanager.GetSecretValue":
            self._refuse(400, "UnknownOperationException")
        elif manager.fault:
            self._refuse(*manager.fault)
        elif signed is None or signed.groups() != (ACCESS_KEY, REGION):
            self._refuse(400, "UnrecognizedClientException")
        elif stage not in manager.secrets.get(name, {}):
            self._refuse(400, "ResourceNotFoundException")
        else:
            self._show(name, stage, manager.secrets[name][stage])

    def _show(self, name: str, stage: str, version: Version) -> None:
        facts: dict[str, Any] = {"Name": name, "VersionId": version.id, "VersionStages": [stage]}
        facts |= {"ARN": f"arn:aws:secretsmanager:{REGION}:123456789012:secret:{name}"}
        facts["CreatedDate"] = version.created_s
        if isinstance(version.value, bytes):
            facts["SecretBinary"] = version.value.hex()
        else:
            facts["SecretString"] = version.value
        self._reply(200, facts)

    def _refuse(self, status: int, kind: str) -> None:
        self._reply(status, {"__type": kind, "Message": "The stand-in refuses this."})

    def _reply(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
