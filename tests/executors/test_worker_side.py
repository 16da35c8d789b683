"""What a worker process keeps open, and its log while several steps run in it at once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial

import pytest
from attrs import define

from finra_workers.lending import Lender
from finra_workers.logs import heard
from finra_workers.stand_ins import Reopened

LOGGER = logging.getLogger("finra_test_of_workers")


@define
class Port:
    """Something that is opened and closed."""

    closed: bool = False

    def close(self) -> None:
        self.closed = True


def names(*tokens: str) -> list[Reopened]:
    return [Reopened(token, Port) for token in tokens]


def borrow(lender: Lender, *stand_ins: Reopened) -> list[Port]:
    with lender.lending() as lend:
        ports = [lend(each) for each in stand_ins]
    return [port for port in ports if isinstance(port, Port)]


def test_equal_tokens_are_one_port() -> None:
    lender = Lender(kept=2)
    (first,) = borrow(lender, *names("a"))
    (second,) = borrow(lender, *names("a"))
    assert first is second


def test_the_least_recently_used_is_closed() -> None:
    lender = Lender(kept=2)
    ports = dict(zip("abc", borrow(lender, *names("a", "b", "c")), strict=True))
    assert [port.closed for port in ports.values()] == [True, False, False]
    borrow(lender, *names("b"))
    borrow(lender, *names("d"))
    assert (ports["b"].closed, ports["c"].closed) == (False, True)


def test_what_is_in_use_is_not_closed() -> None:
    lender = Lender(kept=1)
    with lender.lending() as lend:
        used = lend(names("a")[0])
        (other,) = borrow(lender, *names("b"))
        lender.close()
        assert isinstance(used, Port)
        assert not used.closed
        assert other.closed
    lender.close()
    assert used.closed


def test_what_cannot_be_opened_is_tried_again_by_the_next_step() -> None:
    lender, tries = Lender(), iter([ZeroDivisionError, None])

    def opener() -> Port:
        error = next(tries)
        if error:
            raise error
        return Port()

    with pytest.raises(ZeroDivisionError):
        borrow(lender, Reopened("a", opener))
    assert len(borrow(lender, Reopened("a", opener))) == 1


@pytest.fixture
def set_back() -> Iterator[None]:
    level, root = LOGGER.level, logging.root.level
    yield
    assert (LOGGER.level, logging.root.level) == (level, root)


@pytest.mark.usefixtures("set_back")
def test_steps_at_once_hear_each_at_their_own_level_and_the_last_one_sets_it_back() -> None:
    curious: list[logging.LogRecord] = []
    calm: list[logging.LogRecord] = []
    one = heard({"": logging.WARNING, LOGGER.name: logging.DEBUG}, "elsewhere", curious.append)
    other = heard({"": logging.ERROR}, "elsewhere", calm.append)
    one.__enter__()
    other.__enter__()
    say_all = [partial(LOGGER.log, level, "%s", level) for level in (logging.DEBUG, logging.WARNING, logging.ERROR)]
    for say in say_all:
        say()
    one.__exit__(None, None, None)
    for say in say_all:
        say()
    other.__exit__(None, None, None)
    LOGGER.error("after")
    assert [record.levelno for record in curious] == [logging.DEBUG, logging.WARNING, logging.ERROR]
    assert [record.levelno for record in calm] == [logging.ERROR, logging.ERROR]


@pytest.mark.usefixtures("set_back")
def test_a_worker_that_wants_more_than_its_caller_keeps_its_own_level() -> None:
    LOGGER.setLevel(logging.DEBUG)
    try:
        said: list[logging.LogRecord] = []
        with heard({"": logging.ERROR, LOGGER.name: logging.ERROR}, "elsewhere", said.append):
            assert LOGGER.level == logging.DEBUG
    finally:
        LOGGER.setLevel(logging.NOTSET)
