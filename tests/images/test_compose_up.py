"""`docker compose up`, really: docker's own client, with podman in place of the engine.

No registry is asked: the image of Redis is built here, under the name that compose.yaml has.
"""

import json
import os
import subprocess

import pytest

from local.client import place_video, request_encoding
from local.images.catalogue import REPOSITORY
from support.checkers import find_checker
from support.containers import BASE, COMPOSE_PACKAGES, GID, UID, ContainersError, install_tools
from support.media import ffmpeg
from support.processes import free_port, serves, wait_for

POD_ROOT = "/pod/media"
REDIS = "docker.io/library/redis:7.2-alpine"
REDIS_DOCKERFILE = f"""
FROM {BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends redis-server && mkdir -m 1777 /data
WORKDIR /data
"""
JOB_TIMEOUT_S = 120


class Compose:
    """A project of docker compose, with its settings in a file .env."""

    def __init__(self, folder, media, files):
        self.files = [part for file in files for part in ("--file", file)]
        self.redis_port, self.health_port = free_port(), free_port()
        self.settings = {
            "MEDIA_ROOT": POD_ROOT,
            "MEDIA_DIR": media,
            "PODJOBS_USER": f"{UID}:{GID}",
            "PODJOBS_FUNCTION_SECRET": "the-secret-of-this-project",
            "POD_API_URL": "http://nobody.invalid/rest",
            "POD_API_TOKEN": "a-token",
            "FFMPEG_PRESET": "ultrafast",
            "REDIS_PORT": self.redis_port,
            "PODJOBS_HEALTH_PORT": self.health_port,
        }
        self.file = folder / "env"
        self.file.write_text("".join(f"{name}={value}\n" for name, value in self.settings.items()))
        self.environment = {"PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{folder}/engine.sock"}

    def run(self, *arguments):
        argv = [find_checker("docker-compose"), "--project-name", "pod-functions-test", "--env-file", self.file]
        argv += [*self.files, *arguments]
        done = subprocess.run(
            argv, cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


FILES = {"http": ("compose.yaml",), "rq": ("compose.yaml", "compose.rq.yaml")}


@pytest.fixture(params=FILES)
def compose(images, tmp_path, request):
    try:
        install_tools(COMPOSE_PACKAGES)
    except ContainersError as error:
        pytest.skip(f"There can be no networks of containers here: {error}.")
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(REDIS_DOCKERFILE)
    images.buildah("build", "--layers", "--file", str(dockerfile), "--tag", REDIS, str(tmp_path))
    media = tmp_path / "media"
    media.mkdir()
    os.chown(media, -1, GID)
    media.chmod(0o2775)
    engine = images.new_engine(tmp_path)
    engine.start()
    engine.wait_for((tmp_path / "engine.sock").exists)
    project = Compose(tmp_path, media, FILES[request.param])
    try:
        yield project
    finally:
        project.run("down", "--volumes", "--timeout", "20")
        engine.stop()


def test_compose_up_encodes_a_video(compose, tmp_path):
    compose.run("up", "--detach")
    wait_for(lambda: serves(f"http://127.0.0.1:{compose.health_port}/readyz"), 60, lambda: compose.run("logs"))

    video = tmp_path / "video.mp4"
    sources = ("-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=6", "-f", "lavfi", "-i", "sine=d=6")
    ffmpeg(*sources, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", video)
    placed = place_video(video, tmp_path / "media")
    placed.parent.chmod(0o2775)
    os.chown(placed.parent, -1, GID)
    path = f"{POD_ROOT}/{placed.relative_to(tmp_path / 'media')}"
    request_encoding(f"redis://127.0.0.1:{compose.redis_port}/7", 1, path)

    # written last; then only Pod, which is nowhere, is still to be notified
    info = placed.parent / "0001" / "info_video.json"
    wait_for(info.exists, JOB_TIMEOUT_S, lambda: compose.run("logs"))
    assert json.loads(info.read_text())["list_mp4_files"]
    listed = compose.run("exec", "-T", "adapter", "python", "-m", "adapter", "jobs")
    assert "notif" in listed
