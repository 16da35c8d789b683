"""What `import finra_core` offers, and that it costs nothing until it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import finra_core


@pytest.mark.parametrize("name", finra_core.__all__)
def test_every_public_name_is_there_and_listed(name: str) -> None:
    assert getattr(finra_core, name) is not None
    assert name in dir(finra_core)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'open_sauce'"):
        finra_core.open_sauce  # type: ignore[attr-defined]  # noqa: B018


def test_a_star_import_brings_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from finra_core import *", names)
    assert set(finra_core.__all__) <= names.keys()


def test_importing_the_package_imports_none_of_its_modules() -> None:
    script = "import sys, finra_core; print(*(name for name in sys.modules if name.startswith('finra_core')))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["finra_core"]
