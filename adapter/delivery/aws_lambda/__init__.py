"""Delivery to AWS Lambda: a function is invoked by its name, and the response is its answer.

names.py      how a function is written in its URL; pure
outcomes.py   what Lambda's errors mean for a request; pure
delivery.py   one request: one synchronous invocation
threads.py    blocking calls beside an event loop
"""
