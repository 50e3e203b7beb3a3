"""For all tests: logs of the code under test stay out of the way unless a test fails to explain itself."""

import logging

import structlog
from hypothesis import settings

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

# no deadline for an example: what else this machine is doing is not a fault of what is tested
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
