"""`finra checkpoint`: the head of the chain, to be kept elsewhere."""

from __future__ import annotations

from datetime import datetime

import click
from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import option
from finra_cli.output import Page, json_text, show
from finra_cli.settings import StoreSettings
from finra_cli.verify_files import read_bytes, write_text
from finra_cli.wiring import reading
from finra_core.history.checkpoint import Checkpoint, sign, take_checkpoint


@frozen(kw_only=True)
class CheckpointSettings(StoreSettings):
    """What `finra checkpoint` takes."""

    out: str | None = option(None, "write it to this file", type=click.Path(), metavar="FILE")
    sign: str | None = option(None, "sign it with this Ed25519 private key (PEM)", type=click.Path(), metavar="KEY")


@frozen(kw_only=True)
class CheckpointTaken:
    """A checkpoint. store: the hash of the chain's first entry. signature: Ed25519 in hex, null without a key."""

    store: str
    seq: int
    hash: str
    at: datetime
    signature: str | None


def _checkpoint(settings: CheckpointSettings) -> int:
    key = None if settings.sign is None else read_bytes("--sign", settings.sign)
    with reading(settings) as (view, _url):
        taken = take_checkpoint(view)
    if key is not None:
        taken = sign(taken, key)
    document = _document(taken)
    if settings.out is not None:
        write_text("--out", settings.out, json_text(document))
    show(document, lambda: _page(taken, settings.out), json=settings.json)
    return 0


def _document(taken: Checkpoint) -> CheckpointTaken:
    return CheckpointTaken(store=taken.store, seq=taken.seq, hash=taken.hash, at=taken.at, signature=taken.signature)


def _page(taken: Checkpoint, out: str | None) -> Page:
    page = Page()
    page.line(f"entry {taken.seq:,} of {taken.at:%Y-%m-%d %H:%M:%SZ}: {taken.hash}")
    if out is None:
        page.line("--out FILE keeps it for finra verify --checkpoint FILE.")
    else:
        page.line(f"{out} has it: keep it where whoever can change the store cannot.")
    return page


command = Command(
    "checkpoint",
    CheckpointSettings,
    _checkpoint,
    help="Show the head of the store's chain, or keep it in a file, signed or not. `finra verify --checkpoint FILE` "
    "finds whatever was changed, dropped or written anew before it.",
)
