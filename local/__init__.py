"""The whole stack on one machine: for a look (`run`), for a real Pod (`up`), and for the tests."""
