"""`python -m unified_customers` is the command `unified-customers`."""

from .cli import main

raise SystemExit(main())
