"""How many accounts are read behind one iterator; `unified_customers.directory` is the public home.

`naming` says which account is which, `turns` whose page is read next, `progress` where each stands, `positions` puts
that into one text. Those four are pure; `threads` and `tasks` are the two ways to carry it out.
"""
