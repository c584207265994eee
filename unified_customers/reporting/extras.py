"""Optional packages, imported where they are needed.

Knows their names; must not know what they are for.
"""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import ConfigurationError


def need(module: str, package: str, purpose: str, extra: str = "report") -> Any:
    """An optional module.

    Raises:
        ConfigurationError: It is not installed; says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ConfigurationError(f"{purpose} needs {package}: pip install 'unified-customers[{extra}]'") from None
