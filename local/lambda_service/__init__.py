"""AWS Lambda on this machine: its Invoke API in front of real execution environments.

An execution environment is AWS's runtime interface emulator with AWS's runtime client, and runs the function's handler
as Lambda does: one invocation at a time, frozen code, warm between invocations. The service starts environments when
they are needed, up to the function's concurrency, and replaces those that have died.

What differs from AWS is written in docs/decisions/0052-lambda-on-this-machine.md.
"""
