"""Optional packages, imported where they are needed.

Knows how an extra is asked for; must not know what its packages are for.
"""

from __future__ import annotations

import importlib
from typing import Any

from .errors import ConfigurationError


def need(module: str, purpose: str, extra: str, package: str | None = None) -> Any:
    """An optional module.

    Args:
        module: Its name.
        purpose: What needs it.
        extra: What to install.
        package: The package that has the module, where its name is another.

    Raises:
        ConfigurationError: It is not installed; says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ConfigurationError(
            f"{purpose} needs {package or module.partition('.')[0]}: pip install 'unified-customers[{extra}]'"
        ) from None
