"""Plans in files: what a dry run writes and a run carries out."""

from __future__ import annotations

from pathlib import Path

from finra_core.domain.errors import ConfigurationError
from finra_core.runs.plan import PLAN_VERSION, Plan


def write_plan(file: str, plan: Plan) -> None:
    """Keep a plan in a file, in place of what is there.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    from finra_core.runs.serialization import to_json  # noqa: PLC0415  a run without a plan's file need not import it

    try:
        Path(file).write_text(to_json(plan, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--out {file} cannot be written: {error.strerror}") from None


def read_plan(file: str) -> Plan:
    """The plan in a file.

    Raises:
        ConfigurationError: the file cannot be read, or holds no plan that this release knows.
    """
    from finra_core.runs.serialization import from_json  # noqa: PLC0415  as above

    try:
        plan = from_json(Path(file).read_text(encoding="utf-8"), Plan)
    except OSError as error:
        raise ConfigurationError(f"--plan {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"--plan {file} holds no plan: it is not UTF-8 text") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"--plan {file} holds {error.message}") from error
    if plan.schema_version != PLAN_VERSION:
        raise ConfigurationError(
            f"--plan {file} has version {plan.schema_version}, this release reads {PLAN_VERSION}: make a new plan"
        )
    return plan
