"""Clients of the daemon: a Python client, `noizenet ctl` and `noizenet listen`. They need only the core."""
