"""What adapter and functions have in common where AWS Lambda stands between them.

Source: AWS, «Lambda quotas».
"""

PAYLOAD_BYTES = 6 * 1024 * 1024
"""The most that a request or an answer may take."""
COLD_START = "Podjobs-Cold-Start"
"""Header of the first answer of an environment: seconds from the start of its process until it took requests."""
