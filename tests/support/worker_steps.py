"""Steps for worker processes to do, which have to be functions of a module."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import date
from typing import Any

from attrs import Factory, define, frozen

from finra_core.domain.anomalies import Stage
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.ports.observer import Event, Observer, RunStarted, StepFailed
from finra_core.ports.source import Source

OTC = Partition(date(2025, 11, 14), Tier.OTC)
LOGGER = "finra_http.client"


@define
class Heard:
    """An observer that keeps what it is told, and where."""

    events: list[Event] = Factory(list)
    threads: set[int] = Factory(set)

    def on_event(self, event: Event) -> None:
        self.events.append(event)
        self.threads.add(threading.get_ident())


class Raising:
    """An observer that breaks the rule that it must not raise."""

    def on_event(self, event: Event) -> None:
        raise ArithmeticError(event.run_id)


@frozen
class Work:
    """As a run's: what a step needs, by name."""

    source: Source
    observer: Observer | None = None
    clock: Callable[[], Any] | None = None


class TwoPartsError(Exception):
    """Pickles, and cannot be unpickled: as many libraries' errors."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")


def instance_of(work: Work) -> str:
    return work.source.info.instance


def rows_of(work: Work) -> list[bytes]:
    return work.source.fetch(OTC).documents[0].splitlines()


def tell(work: Work, run_ids: list[str]) -> None:
    for run_id in run_ids:
        if work.observer:
            work.observer.on_event(RunStarted(run_id=run_id, mode="run", run_date=OTC.week_ending))


def tell_and_fail(work: Work, run_id: str) -> None:
    tell(work, [run_id])
    raise LookupError("after it was told")


def tell_of_a_failure(work: Work) -> None:
    try:
        raise_in_two_parts()
    except TwoPartsError as error:
        if work.observer:
            work.observer.on_event(StepFailed(run_id="1", partition=OTC, stage=Stage.RAW, error=error))


def raise_in_two_parts() -> None:
    raise TwoPartsError("disk", "full")


def give_a_lock() -> Any:
    return threading.Lock()


def log_twice(message: str) -> None:
    """A debug line with what does not pickle, and a warning."""
    logger = logging.getLogger(LOGGER)
    logger.debug("%s %s", message, threading.Lock(), extra={"lock": threading.Lock()})
    logger.warning(message)


def log_an_error() -> None:
    try:
        raise_in_two_parts()
    except TwoPartsError:
        logging.getLogger(LOGGER).exception("it failed")


def log_in_another_thread(message: str) -> None:
    thread = threading.Thread(target=logging.getLogger(LOGGER).warning, args=(message,))
    thread.start()
    thread.join()


def log_and_tell(work: Work) -> None:
    logging.getLogger(LOGGER).warning("before")
    tell(work, ["1"])
    logging.getLogger(LOGGER).warning("after")


def level_and_handlers() -> tuple[int, int]:
    return logging.getLogger(LOGGER).level, len(logging.root.handlers)
