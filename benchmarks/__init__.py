"""Measurements that the defaults and the promises of this project rest on: `python -m benchmarks NAME`."""
