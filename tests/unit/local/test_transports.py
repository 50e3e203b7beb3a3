"""How functions are reached: chosen by one setting, for the adapter and the programs alike."""

import pytest

from local.configuration import configure
from local.lambda_service.functions import read_functions
from local.ports import part_names
from local.programs import programs_of
from podjobs.settings import SettingsError

PORTS = {name: 21500 + number for number, name in enumerate(part_names())}


@pytest.fixture
def configured(tmp_path):
    def make(**given):
        return configure(tmp_path / "state", {"PATH": "/usr/bin:/bin", **given}, PORTS)

    return make


@pytest.fixture
def program(configured):
    def find(name, delivery="rq", **given):
        return next(one for one in programs_of(configured(PODJOBS_DELIVERY=delivery, **given)) if one.name == name)

    return find


def test_configure_functions_are_reached_over_http_unless_told_otherwise(configured):
    url = configured().environment["PODJOBS_FUNCTION_URL_ENCODING"]
    assert url == f"http://127.0.0.1:{PORTS['encoding']}"


def test_configure_delivery_rq_reaches_each_function_by_its_queue(configured):
    environment = configured(PODJOBS_DELIVERY="rq").environment
    assert environment["PODJOBS_FUNCTION_URL_ENCODING"] == "rq:encoding"
    assert environment["PODJOBS_FUNCTION_URL_NOTIFICATION"] == "rq:notification"


def test_configure_delivery_that_is_not_known_is_refused_with_those_that_are(configured):
    with pytest.raises(SettingsError, match=r"PODJOBS_DELIVERY: 'celery' .* Write one of http, rq, lambda\."):
        configured(PODJOBS_DELIVERY="celery")


def test_programs_of_rq_workers_know_their_own_settings_and_one_redis_url(program):
    worker = program("encoding", PODJOBS_REDIS_URL="redis://:pw@redis/8", PODJOBS_WORKER_MEMORY_MB="700")
    assert worker.environment["PODJOBS_RQ_URL"] == "redis://:pw@redis/8"
    assert worker.environment["PODJOBS_WORKER_MEMORY_MB"] == "700"
    assert not {"PODJOBS_REDIS_URL", "ENCODING_TRANSCODING_CELERY_BROKER_URL", "POD_API_TOKEN"} & set(
        worker.environment
    )
    assert "pw" not in " ".join(worker.argv)


def test_programs_of_rq_workers_end_at_once_for_the_adapter_has_waited(program):
    assert program("encoding", PODJOBS_WORKER_GRACE_S="60").environment["PODJOBS_WORKER_GRACE_S"] == "0"


@pytest.mark.parametrize(
    ("name", "given", "concurrency"),
    [
        ("encoding", {}, None),  # as many as there are processors: the function knows
        ("encoding", {"PODJOBS_CONCURRENCY_ENCODING": "3"}, "3"),
        ("notification", {}, "4"),
        ("notification", {"PODJOBS_CONCURRENCY_NOTIFICATION": "2"}, "2"),
    ],
)
def test_programs_of_there_are_as_many_rq_workers_as_the_adapter_may_use(program, name, given, concurrency):
    argv = program(name, **given).argv
    found = argv[argv.index("--concurrency") + 1] if "--concurrency" in argv else None
    assert found == concurrency


def test_configure_delivery_lambda_reaches_each_function_by_its_name(configured):
    environment = configured(PODJOBS_DELIVERY="lambda").environment
    assert environment["PODJOBS_FUNCTION_URL_ENCODING"] == "lambda:encoding"


def test_programs_of_lambda_service_gives_each_function_its_own_settings_alone(program):
    given = {"POD_API_TOKEN": "t0ken", "PODJOBS_REDIS_URL": "redis://:pw@redis/8", "PODJOBS_CONCURRENCY_ENCODING": "3"}
    service = program("lambda", "lambda", LAMBDA_TIMEOUT_S="30", **given)
    functions = {one.name: one for one in read_functions(service.environment)}
    assert functions.keys() == {"encoding", "notification"}
    assert functions["notification"].environment["POD_API_TOKEN"] == given["POD_API_TOKEN"]
    assert "t0ken" not in str(functions["encoding"].environment)
    assert "redis://" not in str(service.environment)
    assert (functions["encoding"].concurrency, functions["encoding"].timeout_s) == (3, 30)


def test_programs_of_adapter_signs_for_the_lambda_service_and_has_no_key_of_the_media(program):
    keys = {"AWS_ACCESS_KEY_ID": "media-key", "AWS_SECRET_ACCESS_KEY": "media-secret", "MEDIA_URL": "s3://bucket/pod"}
    adapter, service = (program(name, "lambda", MEDIA_ROOT="/media", **keys) for name in ("adapter", "lambda"))
    assert adapter.environment["AWS_ENDPOINT_URL_LAMBDA"] == f"http://127.0.0.1:{PORTS['lambda']}"
    assert "media-secret" not in str(adapter.environment)
    encoding = next(one for one in read_functions(service.environment) if one.name == "encoding")
    assert encoding.environment["AWS_ACCESS_KEY_ID"] == "media-key"


@pytest.mark.parametrize("text", ["0", "901", "soon"])
def test_programs_of_time_out_that_lambda_does_not_have_is_refused(program, text):
    with pytest.raises(SettingsError, match=r"LAMBDA_TIMEOUT_S: .* Write seconds, 1 to 900\."):
        program("lambda", "lambda", LAMBDA_TIMEOUT_S=text)


def test_programs_of_there_is_no_lambda_service_for_other_deliveries(configured):
    assert "lambda" not in {one.name for one in programs_of(configured())}
