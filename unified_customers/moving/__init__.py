"""Moving customers from one provider to another: planned, run, stopped and resumed, verified, undone.

Knows the public clients, customers and capabilities, and SQLite. Must not know HTTP or a provider's spelling: what a
target takes, it learns from the target's capabilities and from the checks that every write passes.

A plan reads and sends nothing else. It lies in a temporary SQLite file, so a million customers need no more memory
than a hundred. A journal is a SQLite file too: what is about to be sent is committed there before it is sent, and
what came of it afterwards, so that a process that is killed at any moment leaves nothing that can't be settled.
"""
