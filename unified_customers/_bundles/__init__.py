"""Accounts in bundles that travel to other machines: referred to, sized, packed and read there.

Knows directories and accounts by name; must not know an engine. Nothing in a bundle is a key.
"""
