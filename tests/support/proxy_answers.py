"""What Knative's proxies, and Envoy before them, answer in a function's place: (status, text).

The texts are those that knative/serving, Go and Envoy write.
"""

_ENVOY = "upstream connect error or disconnect/reset before headers. reset reason: "

UNSEEN = {
    "queue-proxy, all slots taken": (503, "pending request queue full\n"),
    "activator, too many wait": (503, "activator overload\n"),
    "activator, no pod in time": (503, "context deadline exceeded\n"),
    "activator, pod gone": (502, "dial tcp 10.42.0.17:8012: connect: connection refused\n"),
    "activator, node gone": (502, "dial tcp 10.42.0.17:8012: i/o timeout\n"),
    "queue-proxy, container starting": (502, "dial tcp 127.0.0.1:8080: connect: connection refused\n"),
    "ingress, no route yet": (404, ""),
    "ingress, no pod": (503, "no healthy upstream"),
    "ingress, pod gone": (503, f"{_ENVOY}connection failure"),
}
"""The function has not seen the step."""
SEEN = {
    "queue-proxy, container died": (502, "EOF\n"),
    "activator, pod died": (502, "read tcp 10.42.0.9:51234->10.42.0.17:8012: read: connection reset by peer\n"),
    "ingress, pod died": (503, f"{_ENVOY}connection termination"),
    "queue-proxy, timeoutSeconds": (504, "request timeout"),
    "activator, timeoutSeconds": (504, "activator request timeout"),
    "ingress, its own limit": (504, "upstream request timeout"),
}
"""The function may have died of it, or not have come to an end."""
