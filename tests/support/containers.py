"""Containers of the images, as podman runs them: with a read-only root, without capabilities, as any user.

Images are built with buildah into a storage of their own, on a base that debootstrap makes: no registry is asked.
"""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.processes import REPOSITORY, Program

BASE = "localhost/debian:bookworm-slim"
PACKAGES = {"buildah": "buildah", "podman": "podman", "crun": "crun", "debootstrap": "debootstrap"}
"""Program → its package."""
UNIFIED = Path("/sys/fs/cgroup/unified")
"""There if both versions of control groups are mounted, which crun refuses."""
PIP_CONFIG, AUTHORITIES = Path("/etc/pip.conf"), Path("/etc/ssl/certs/ca-certificates.crt")
UID, GID = 12345, 33
"""Of the containers: nobody's, and the group of Debian's web server."""


class ContainersError(Exception):
    """There can be no containers here; the message says why."""


def install_tools() -> None:
    """Install what builds and runs images, if root may do so.

    Raises:
        ContainersError: something is missing.
    """
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program, path=_path())]
    if not missing:
        return
    if os.geteuid() or not shutil.which("apt-get"):
        raise ContainersError(f"{', '.join(missing)} must be installed, and containers be run by root")
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing]
    for argv in (["apt-get", "update", "-qq"], install):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ContainersError(f"{' '.join(argv)} has failed: {done.stderr}")


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


@dataclass
class Containers:
    """A storage of images, and the containers made from them."""

    folder: Path
    _names: list[str] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, str]:
        """What tells buildah and podman where the storage is, and that they are alone on this machine."""
        return {"CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"), "BUILDAH_ISOLATION": "chroot"}

    def open(self) -> None:
        """Make the storage, and the base in it, unless they are there.

        Raises:
            ContainersError: no container can be run here.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = ["[storage]", 'driver = "overlay"']
        lines += [f'graphroot = "{self.folder}/graph"', f'runroot = "{self.folder}/run"']
        (self.folder / "storage.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        if self.podman("image", "exists", BASE, check=False).returncode:
            self._make_base()
        done = self.podman("run", "--rm", *self.confinement(), BASE, "true", check=False)
        if done.returncode:
            raise ContainersError(f"podman cannot run a container here: {done.stderr}")

    def _make_base(self) -> None:
        root, archive = self.folder / "base", self.folder / "base.tar"
        self._call(["debootstrap", "--variant=minbase", "bookworm", str(root)])
        with tarfile.open(archive, "w") as file:
            file.add(root, arcname=".")
        self.podman("import", str(archive), BASE)
        shutil.rmtree(root)
        archive.unlink()

    def build(self, *names: str, options: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
        """Build images with scripts/images; returns what it said."""
        argv = [str(REPOSITORY / "scripts" / "images"), "--builder", "buildah", "--base-image", BASE]
        argv += ["--pip-config", str(PIP_CONFIG)] if PIP_CONFIG.is_file() else []
        argv += ["--ca", str(AUTHORITIES)] if AUTHORITIES.is_file() else []
        return self._call([*argv, *options, *names])

    def podman(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command of podman."""
        return self._call([*self._prefix(), "podman", *arguments], check=check)

    def buildah(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of buildah."""
        return self._call(["buildah", *arguments])

    def _call(self, argv: Sequence[str], *, check: bool = True) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | self.settings | {"PATH": _path()}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, cwd=REPOSITORY)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(argv)} has failed with {done.returncode}.\n{done.stdout}\n{done.stderr}")
        return done

    def new(
        self,
        name: str,
        image: str,
        *command: str,
        settings: Mapping[str, str] | None = None,
        mounts: Sequence[str] = (),
        page: str = "",
        options: Sequence[str] = (),
    ) -> Program:
        """A container that is not started yet; SIGTERM to the program reaches what runs in it.

        Args:
            name: of the container and its log.
            image: without the project's prefix.
            command: empty: the image's own.
            settings: its environment.
            mounts: host's folder:container's folder.
            page: that answers 200 when it works.
            options: of `podman run`, beside those that confine it.
        """
        self._names.append(name)
        log = self.folder / f"{name}.log"
        log.unlink(missing_ok=True)
        argv = [*self._prefix(), "podman", "run", "--rm", "--replace", "--name", name, *self.confinement()]
        argv += [part for one, value in (settings or {}).items() for part in ("--env", f"{one}={value}")]
        argv += [part for mount in mounts for part in ("--volume", mount)]
        argv += [*options, f"pod-functions/{image}", *command]
        return Program(name, argv, self.settings, log, page)

    def healthy(self, name: str) -> bool:
        """Whether a running container's health check says that it is well."""
        return self.podman("healthcheck", "run", name, check=False).returncode == 0

    def execute(self, name: str, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in a running container."""
        return self.podman("exec", name, *command, check=False)

    def close(self) -> None:
        """Remove what may be left of the containers."""
        for name in self._names:
            self.podman("rm", "--force", "--ignore", "--time", "0", name, check=False)

    def confinement(self) -> list[str]:
        """The options that confine a container as docs/images.md advises; the first are what this machine needs."""
        argv = ["--network", "host", "--cgroups", "disabled"]
        argv += ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]
        argv += ["--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp:rw,mode=1777"]  # noqa: S108 - its own
        return [*argv, "--user", f"{UID}:{GID}", "--cap-drop", "all", "--security-opt", "no-new-privileges"]

    @staticmethod
    def _prefix() -> list[str]:
        """What hides the second version of control groups from crun, without touching anybody else's view of it."""
        if not UNIFIED.is_mount():
            return []
        return ["unshare", "--mount", "sh", "-c", f'umount {UNIFIED} && exec "$@"', "podman"]
