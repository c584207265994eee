"""Ways to walk a list, each written once for whoever has that kind of list.

A way is a frozen position and a pure function from (position, rows of one answer) to a `Batch`. These rooms know
rows, ids and moments; they must not know HTTP, a provider or a customer's fields.
"""
