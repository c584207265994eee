"""How fast the library is, against named peers, on loopback: `python -m benchmarks.speed`.

`data` makes customers up, `server` answers with them in a process of its own, `contenders/` are the programs that
are measured (each a process, in its own environment), `rounds` interleaves them, `rows` says what is compared with
what, `report` prints. `python -m benchmarks.compare A B` runs some of the rows against two commits.
"""
