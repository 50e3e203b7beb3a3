"""For all tests: logs of the code under test stay out of the way unless a test fails to explain itself."""

import logging

import structlog

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
