"""The sandbox, with real commands that try to get out of it. Without it, each of them succeeds."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from podjobs.backends.process import CommandError, ProcessTools
from podjobs.backends.sandbox_choice import advise, choose_sandbox
from podjobs.contract.commands import NOTHING, Access, MediaInput
from support.processes import wait_for
from support.url_storage import SECRET

PYTHON = str(Path(sys.executable).resolve())
"""Not that of the virtual environment, whose own files a command may not read."""
PROGRAMS = ("ffmpeg", "ffprobe", PYTHON)
SANDBOX = choose_sandbox("auto", PROGRAMS)
if SANDBOX.missing:  # whether this machine can is asked in test_sandbox_choice.py
    pytest.skip(advise(SANDBOX), allow_module_level=True)
CONFINED = ProcessTools(4 << 30, SANDBOX)
OPEN = ProcessTools(4 << 30, choose_sandbox("off"))


def run(tools, *argv, access=NOTHING, timeout_s=60):
    return tools.run(argv, timeout_s=timeout_s, access=access).decode()


def refuse(*argv, access=NOTHING, said="Permission denied"):
    """The command succeeds without a sandbox, and is refused in it."""
    run(OPEN, *argv, access=access)
    with pytest.raises(CommandError) as refused:
        run(CONFINED, *argv, access=access)
    assert said in refused.value.context["stderr"]


@pytest.fixture
def video(tmp_path):
    file = tmp_path / "uploads" / "video.mkv"
    file.parent.mkdir()
    source = ["-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-c:v", "libx264"]
    subprocess.run(["ffmpeg", "-v", "error", *source, str(file)], check=True)
    return file


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def ffmpeg_copy(source, target):
    return ["ffmpeg", "-v", "error", "-nostdin", "-i", str(source), "-c", "copy", str(target)]


def test_command_reads_its_input_and_writes_into_its_folder(video, folder):
    source = MediaInput(str(video), ("file",), "/media/video.mkv")
    run(CONFINED, *ffmpeg_copy(video, folder / "copy.mp4"), access=Access((source,), folder))
    assert (folder / "copy.mp4").stat().st_size > 0


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/hostname", "/proc/1/cmdline"])
def test_command_cannot_read_what_is_not_its_input(path):
    refuse("cat", path)


def test_command_cannot_read_another_upload(video, folder):
    other = video.with_name("other.mkv")
    shutil.copy(video, other)
    refuse(*ffmpeg_copy(other, folder / "stolen.mp4"), "-y", access=Access((video,), folder))


def test_command_cannot_list_the_uploads_beside_its_input(video):
    refuse("ls", str(video.parent), access=Access((video,)))


def test_command_cannot_read_where_pod_is_installed():
    """It often is in /usr/local/django_projects, with its settings."""
    refuse("ls", "/usr/local")


def test_command_that_reads_from_a_url_can_look_up_hosts_and_certificates():
    source = MediaInput("https://storage.example/video", ("https", "tls", "tcp"), "/media/video.mkv")
    for argv in (("cat", "/etc/hosts"), ("ls", "/etc/ssl/certs")):
        run(CONFINED, *argv, access=Access((source,)))
        refuse(*argv)


def test_command_cannot_read_the_secrets_of_the_function():
    """Root may read the environment of every process, and the same user that of its own."""
    refuse("cat", f"/proc/{os.getpid()}/environ")


READ_MEMORY = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
mine = ctypes.create_string_buffer(8)
here, there = (ctypes.c_size_t * 2)(ctypes.addressof(mine), 8), (ctypes.c_size_t * 2)(int(sys.argv[2]), 8)
if libc.process_vm_readv(int(sys.argv[1]), here, 1, there, 1, 0) != 8:
    sys.exit(os.strerror(ctypes.get_errno()))
print(mine.raw)
"""


def test_command_cannot_read_the_memory_of_the_function():
    secret = ctypes.create_string_buffer(SECRET.encode())
    argv = [PYTHON, "-c", READ_MEMORY, str(os.getpid()), str(ctypes.addressof(secret))]
    try:
        assert SECRET[:8] in run(OPEN, *argv)
    except CommandError:
        pytest.skip("this system protects processes from one another already")
    refuse(*argv)


def test_command_cannot_write_elsewhere(video, folder, tmp_path):
    refuse(*ffmpeg_copy(video, tmp_path / "elsewhere.mp4"), "-y", access=Access((video,), folder))


def test_command_cannot_change_its_input(video):
    refuse("sh", "-c", f"echo >> {video}", access=Access((video,)))
    refuse("truncate", "-s", "-1", str(video), access=Access((video,)))
    refuse("chmod", "600", str(video), access=Access((video,)))


def test_command_cannot_leave_a_link_in_its_folder(folder):
    """Else what is moved out of the folder could lead anywhere."""
    refuse("ln", "-sf", "/etc/passwd", str(folder / "link"), access=Access(folder=folder))


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


CONNECT = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5).close()"
SEND = "import socket, sys; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', int(sys.argv[1])))"
UNIX = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
LISTEN = "import socket; socket.create_server(('127.0.0.1', 0)).close()"


@pytest.mark.parametrize("code", [CONNECT, SEND, LISTEN])
def test_command_that_reads_files_has_no_network(listener, video, code):
    refuse(PYTHON, "-c", code, str(listener.getsockname()[1]), access=Access((video,)))


def test_command_reaches_no_socket_of_another_program(folder):
    """Such as that of Redis, or of Docker."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
        server.listen()
        refuse(PYTHON, "-c", UNIX, str(folder / "socket"), access=Access(folder=folder))


def test_ffmpeg_that_reads_files_has_no_network(listener, video):
    """Even if it were told to send something."""
    received = []
    threading.Thread(target=lambda: received.append(read_all(listener)), daemon=True).start()
    argv = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(video), "-c", "copy", "-f", "mpegts"]
    refuse(*argv, f"tcp://127.0.0.1:{listener.getsockname()[1]}", access=Access((video,)))
    assert received


def read_all(listener):
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as stream:
        return stream.read()


def test_command_that_reads_from_a_url_connects_to_its_port_alone(listener):
    port = listener.getsockname()[1]
    source = MediaInput(f"http://127.0.0.1:{port}/video", ("http", "tcp"), "/media/video.mkv")
    run(CONFINED, PYTHON, "-c", CONNECT, str(port), access=Access((source,)))
    with socket.create_server(("127.0.0.1", 0)) as redis:
        refuse(PYTHON, "-c", CONNECT, str(redis.getsockname()[1]), access=Access((source,)))


def proxied(proxy, port):
    return MediaInput(f"http://127.0.0.1:{port}/video", ("http", "tcp"), "/media/video.mkv", proxy)


def test_command_whose_input_has_a_proxy_connects_to_that_alone(listener, monkeypatch):
    """Neither to the host in its URL nor to the operator's proxy; and it looks up no hosts and certificates."""
    port = listener.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        host, operators = (server.getsockname()[1] for server in (one, two))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{operators}")
        access = Access((proxied(f"http://me:{SECRET}@127.0.0.1:{port}", host),))
        run(CONFINED, PYTHON, "-c", CONNECT, str(port), access=access)
        for other in (host, operators):
            refuse(PYTHON, "-c", CONNECT, str(other), access=access)
    refuse("cat", "/etc/hosts", access=access)


@pytest.mark.parametrize("tools", [CONFINED, OPEN], ids=["confined", "open"])
def test_command_gets_the_proxy_of_its_input_in_place_of_the_operators(tools, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "*")
    proxy = f"http://me:{SECRET}@127.0.0.1:1234"
    shown = run(tools, "sh", "-c", "echo $http_proxy $no_proxy", access=Access((proxied(proxy, 80),)))
    assert shown == f"{proxy}\n"


def test_command_whose_inputs_have_several_proxies_is_not_started():
    sources = (proxied(f"http://me:{SECRET}@127.0.0.1:1234", 80), proxied("", 80))
    for tools in (CONFINED, OPEN):
        with pytest.raises(ValueError, match="the same proxy") as refused:
            run(tools, "true", access=Access(sources))
        assert SECRET not in str(refused.value)


def test_command_environment_has_no_secret(monkeypatch, tmp_path):
    """A real ffmpeg, and what others on the same machine could read about it."""
    for name in ("POD_API_TOKEN", "PODJOBS_REDIS_URL", "AWS_SECRET_ACCESS_KEY", "http_proxy", "HOME"):
        monkeypatch.setenv(name, SECRET)

    def environment_of(tools):
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        argv = ["ffmpeg", "-v", "error", "-nostdin", "-f", "s16le", "-i", str(fifo), "-f", "null", "-"]
        running = threading.Thread(target=lambda: run(tools, *argv, access=Access((fifo,))))
        running.start()
        with fifo.open("wb") as feeding:
            pid = next(
                int(entry.name) for entry in Path("/proc").glob("[0-9]*") if str(fifo).encode() in cmdline(entry)
            )
            content = Path(f"/proc/{pid}/environ").read_bytes()
            feeding.write(bytes(9600))
        running.join()
        fifo.unlink()
        return content

    assert SECRET.encode() in environment_of(OPEN)
    variables = environment_of(CONFINED).rstrip(b"\0").split(b"\0")
    assert {variable.split(b"=")[0] for variable in variables} <= {b"PATH", b"LANG", b"LC_ALL", b"LD_LIBRARY_PATH"}


def cmdline(process):
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def test_command_has_no_privileges_and_gets_none():
    """Root keeps the right to read and write files of other users, of which Landlock leaves few."""
    confined = status_of(CONFINED)
    assert (confined["NoNewPrivs"], confined["Seccomp"]) == ("1", "2")
    assert {int(confined[f"Cap{which}"], 16) for which in ("Eff", "Prm", "Bnd", "Inh", "Amb")} <= {0, 1 << 1}
    if os.geteuid() == 0:
        assert int(status_of(OPEN)["CapEff"], 16) > 1 << 1


def status_of(tools):
    """A command's status as this process sees it; the command itself may not look."""
    reading, writing = os.pipe()
    found = {}

    def look(progress):
        for line in Path(f"/proc/{progress['pid']}/status").read_text().splitlines():
            name, _, value = line.partition(":\t")
            found[name] = value
        os.close(writing)

    script = "echo pid=$$; echo progress=continue; cat > /dev/null"
    tools.run(["sh", "-c", script], timeout_s=20, access=NOTHING, feed=[os.fdopen(reading, "rb")], on_progress=look)
    return found


def test_command_cannot_end_the_function():
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        with pytest.raises(CommandError, match="not permitted"):
            run(CONFINED, "sh", "-c", f"kill -TERM {bystander.pid}")
        assert bystander.poll() is None
        run(OPEN, "sh", "-c", f"kill -TERM {bystander.pid}")
        assert bystander.wait(5) == -signal.SIGTERM
    finally:
        bystander.kill()
        bystander.wait()


def test_function_is_not_confined_by_what_its_commands_give_up():
    before = status_lines()
    run(CONFINED, "true")
    wait_for(lambda: status_lines() <= before, 5)  # the thread of a command ends with it


def status_lines():
    """What all threads of this process may do."""
    names = ("NoNewPrivs", "Seccomp", "Cap")
    texts = [status.read_text() for status in Path("/proc/self/task").glob("*/status")]
    return {line for text in texts for line in text.splitlines() if line.startswith(names)}


def test_threads_of_commands_end_with_them():
    before = threading.active_count()
    for _ in range(5):
        run(CONFINED, "true")
    wait_for(lambda: threading.active_count() <= before, 5)
