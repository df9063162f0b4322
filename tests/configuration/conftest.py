import os
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from botpenguin import settings as settings_module
from tests import prepared, server

Load = Callable[..., dict[str, Any]]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load the settings of the project in an environment with only these, and perhaps a file."""

    def call(file: str = "", **settings: str) -> dict[str, Any]:
        (tmp_path / ".env").write_text(file)
        with monkeypatch.context() as patch:
            patch.setattr(os, "environ", server.environment(tmp_path, **prepared.SECRETS | settings))
            return runpy.run_path(settings_module.__file__)

    return call
