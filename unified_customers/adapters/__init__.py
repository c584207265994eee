"""One file (or folder) a provider: its settings, its spelling, its requests, pages and problems.

Each knows its own provider only; none knows another, httpx or the clock.
"""
