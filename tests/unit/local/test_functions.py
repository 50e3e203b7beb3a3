"""The stack on one machine knows every function of the table."""

from local.functions import SETTINGS, enabled_functions
from local.ports import choose_ports, part_names
from podjobs.contract.workflows import all_functions


def test_settings_are_known_for_every_function():
    assert set(SETTINGS) == {function.name for function in all_functions()}


def test_enabled_functions_are_those_whose_setting_is_there():
    assert [one.name for one in enabled_functions(set())] == ["encoding", "notification"]
    with_models = enabled_functions({"TRANSCRIPTION_MODEL_PARAM", "XAPI_LRS_URL", "ANYTHING"})
    assert [one.name for one in with_models] == ["encoding", "transcription", "notification", "xapi"]


def test_choose_ports_every_part_has_its_own_and_remembered_ones_are_kept():
    ports = choose_ports({})
    assert set(ports) == set(part_names())
    assert len(set(ports.values())) == len(ports)
    assert choose_ports({"PODJOBS_HEALTH_PORT": "8090"}, ports) == ports | {"health": 8090}
