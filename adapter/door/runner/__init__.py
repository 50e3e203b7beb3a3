"""The door for Pod 4.2 and newer: tasks come over HTTP, and so do their results go. See docs/contract-pod-runner.md."""
