"""The embedded S3 server: how it is started, and what is left of it."""

import socket
from pathlib import Path

from local.configuration import configure
from local.object_store import (
    ServerPorts,
    demonstration_settings,
    prepare_folder,
    remove_leftovers,
    remove_sockets,
    server_argv,
    server_dir,
)
from local.ports import GRPC_OFFSET, OBJECT_STORE, choose_ports
from local.programs import programs_of

PORTS = ServerPorts(s3=1001, master=1002, volume=1003, filer=1004, admin=1005)


def test_server_argv_listens_on_this_machine_alone_at_the_chosen_ports_alone():
    argv = server_argv("weed", Path("/data"), PORTS, "media")
    assert argv[:3] == ["weed", "-logdir=/data/log", "mini"]
    assert {"-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-dir=/data", "-bucket=media"} <= set(argv)
    ports = {argument for argument in argv if ".port" in argument}
    assert ports == {
        "-s3.port=1001", "-s3.port.grpc=11001", "-master.port=1002", "-master.port.grpc=11002", "-volume.port=1003",
        "-volume.port.grpc=11003", "-filer.port=1004", "-filer.port.grpc=11004", "-admin.port=1005",
        "-admin.port.grpc=11005", "-s3.port.iceberg=0", "-s3.port.lance=0",
    }  # fmt: skip
    assert {"-webdav=false", "-admin.ui=false", "-master.telemetry=false"} <= set(argv)


def test_server_argv_without_a_bucket_makes_none():
    assert not [argument for argument in server_argv("weed", Path("/data"), PORTS) if "bucket=" in argument]


def test_choose_ports_of_the_server_are_free_for_grpc_too():
    ports = choose_ports({}, with_object_store=True)
    wanted = [ports[part] + offset for part in OBJECT_STORE for offset in (0, GRPC_OFFSET)]
    assert len({*wanted, *ports.values()}) == len(wanted) + len(ports) - len(OBJECT_STORE)
    for port in wanted:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", port))


def test_choose_ports_without_a_server_chooses_none_for_it():
    assert not set(OBJECT_STORE) & set(choose_ports({}))


def test_credentials_are_others_each_time_and_on_no_command_line(tmp_path):
    ports = choose_ports({}, with_object_store=True)
    assert not secrets_of(demonstration_settings(ports)) & secrets_of(demonstration_settings(ports))
    configuration = configure(tmp_path / "stack", {"MEDIA_ROOT": str(tmp_path)}, ports)
    made_up = secrets_of(configuration.environment)
    programs = {program.name: program for program in programs_of(configuration)}
    assert not [program for program in programs.values() if any(secret in " ".join(program.argv) for secret in made_up)]
    knowing = {name for name, program in programs.items() if made_up & set(program.environment.values())}
    assert knowing == {"s3", "pod", "encoding", "notification"}
    assert made_up <= set(programs["s3"].environment.values())


def secrets_of(settings):
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return {value for name, value in settings.items() if name in names or name.startswith("WEED_")}


def test_sockets_that_it_leaves_are_removed_and_no_others(tmp_path):
    own = [tmp_path / "seaweedfs-s3-1001.sock", tmp_path / "seaweedfs-filer-grpc-11004.sock"]
    other = tmp_path / "seaweedfs-s3-11002.sock.x"
    for file in (*own, other):
        file.touch()
    remove_sockets(PORTS, tmp_path)
    assert list(tmp_path.iterdir()) == [other]


def test_data_are_their_owners_alone_and_gone_after_the_end(tmp_path):
    prepare_folder(tmp_path)
    assert server_dir(tmp_path).stat().st_mode & 0o777 == 0o700
    remove_leftovers(tmp_path, choose_ports({}, with_object_store=True))
    assert list(tmp_path.iterdir()) == []
