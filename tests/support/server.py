"""A server as docs/from-celery.md describes it, in a folder: its commands are run as they stand there.

What is put in place of something else is in `Server.places` and `Server.run`, and nowhere else:

    places of the system (/opt, /etc, /usr/local/bin)   folders of the server's own
    the repository's address                            this checkout
    systemctl start and restart                         the unit's command, started here: there is no systemd to ask
    Pod's worker                                        the real Celery, with tasks of Pod's names
    sudo, the user podjobs, a unit's confinement        everything runs as root, unconfined
"""

import re
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from support.pod_worker import new_pod_worker
from support.processes import REPOSITORY, Program, environment_with, free_port

UNIT = re.compile(r"(?P<prefix>[\w-]+)(@(?P<instance>[\w-]+))?")


@dataclass
class Server:
    """One server."""

    root: Path
    broker_url: str
    port: int = field(default_factory=free_port)
    units: dict[str, Program] = field(default_factory=dict)
    """What systemd would run."""
    pod_worker: Program | None = None
    seen: set[str] = field(default_factory=set)
    """Which of the replacements were needed."""

    @property
    def places(self) -> dict[str, str]:
        """What stands in the page → what it is here."""
        return {
            "https://github.com/EsupPortail/pod-functions.git": str(REPOSITORY),
            "/opt/pod-functions": str(self.root / "opt"),
            "/etc/podjobs": str(self.root / "etc" / "podjobs"),
            "/etc/sysusers.d": str(self.root / "etc" / "sysusers.d"),
            "/etc/systemd/system": str(self.root / "etc" / "systemd" / "system"),
            "/usr/local/bin": str(self.root / "bin"),
            "127.0.0.1:8090": f"127.0.0.1:{self.port}",
        }

    @property
    def settings(self) -> dict[str, str]:
        """What the environment says of these places."""
        return {
            "PATH": f"{self.root / 'bin'}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PODJOBS_ENV_FILE": str(self.env_file),
            "HOME": str(self.root),
            "PYTHONPATH": "",
        }

    @property
    def env_file(self) -> Path:
        """The server's settings."""
        return self.root / "etc" / "podjobs" / "podjobs.env"

    def prepare(self) -> None:
        """Make the folders that a Debian has."""
        for folder in ("etc/sysusers.d", "etc/systemd/system", "bin"):
            (self.root / folder).mkdir(parents=True)

    def run(self, line: str) -> str:
        """Do what a line of the page says. Returns what it printed; fails if the command does."""
        command = self.here(line.replace("sudo ", ""))
        words = shlex.split(command)
        match words:
            case ["systemctl", "daemon-reload"]:
                return self._verify_units()
            case ["systemctl", "enable", "--now", unit]:
                self._shell(f"systemctl --root={self.root} enable {unit}")
                self.start(unit)
            case ["systemctl", "restart", unit]:
                self.units[unit].stop()
                self.start(unit)
            case ["systemd-sysusers"]:
                return self._shell(f"systemd-sysusers {self.here('/etc/sysusers.d')}/podjobs.conf")
            case ["celery", *options]:
                self.stop_pod_worker()
                queue = options[options.index("-Q") + 1]
                worker = self.pod_worker = new_pod_worker(self.broker_url, queue, self.root)
                worker.start()
                worker.wait_for(lambda: "ready" in worker.said(), 60)
            case _:
                return self._shell(command)
        return ""

    def here(self, text: str) -> str:
        """A text of the page or of a unit with the places of this server."""
        for there, here in self.places.items():
            if there in text:
                self.seen.add(there)
            text = text.replace(there, here)
        return text

    def start(self, unit: str) -> None:
        """Start a unit's command, as systemd would."""
        found = UNIT.fullmatch(unit)
        assert found, unit
        name = found["prefix"] + ("@" if found["instance"] else "") + ".service"
        text = self.here((self.root / "etc" / "systemd" / "system" / name).read_text(encoding="utf-8"))
        (command,) = re.findall(r"^ExecStart=(.*)$", text, flags=re.MULTILINE)
        argv = command.replace("%i", found["instance"] or "").replace(" $PODJOBS_WORKERS", "").split()
        self.units[unit] = Program(unit, argv, self.settings, self.root / f"{unit}.log", folder=self.root)
        self.units[unit].start()

    def _verify_units(self) -> str:
        """Have systemd read the units, with the places of this server."""
        copies = self.root / "verified"
        copies.mkdir()
        for unit in (self.root / "etc" / "systemd" / "system").glob("*.service"):
            # a template is verified as one of its instances
            copy = copies / unit.name.replace("@.", "@encoding.")
            copy.write_text(self.here(unit.read_text(encoding="utf-8")), encoding="utf-8")
        return self._shell(f"systemd-analyze verify {copies}/*.service 2>&1")

    def stop_pod_worker(self) -> None:
        """As an administrator does: it ends its task first."""
        if self.pod_worker is not None:
            self.pod_worker.stop()
            self.pod_worker = None

    def stop(self) -> None:
        """Stop everything."""
        for program in [*self.units.values(), *filter(None, [self.pod_worker])]:
            program.kill()

    def said(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"{unit}: {program.said()[-2000:]}" for unit, program in self.units.items())

    def _shell(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            env=environment_with(self.settings),
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}\n{self.said()}"
        return done.stdout
