"""Customers as tables and files: one schema, Arrow record batches, and exports that are whole or not there.

Knows customers, pages and checkpoints as texts; must not know a provider's spelling, HTTP, or how a walk works.
pyarrow and duckdb are extras and imported when they are needed.
"""
