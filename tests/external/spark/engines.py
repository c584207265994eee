"""Which engine is tried, and on what."""

from __future__ import annotations

import os

ENGINE = os.environ.get("UC_ENGINE", "sail")
TENANTS = {f"t{n:02d}": n % 5 * 60 for n in range(24)}
