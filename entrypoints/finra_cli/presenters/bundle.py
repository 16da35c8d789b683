"""What `finra bundle` shows."""

from __future__ import annotations

from datetime import date

from attrs import frozen

from finra_bundle import Bundled, Imported
from finra_cli.output import Page, count


@frozen(kw_only=True)
class BundleExport:
    """A bundle that was written. manifest_sha256: keep it elsewhere, and an import can be held against it."""

    file: str
    manifest_sha256: str
    size_bytes: int
    captures: int
    analyses: int
    documents: int
    weeks: tuple[date, ...]


@frozen(kw_only=True)
class BundleImport:
    """A bundle that was imported. added: captures that the store lacked. known: those that it had.

    judged: the weeks that gained something.
    """

    file: str
    manifest_sha256: str
    added: int
    known: int
    analyses: int
    judged: tuple[date, ...]


def export_document(done: Bundled, file: str) -> BundleExport:
    """The document."""
    return BundleExport(
        file=file,
        manifest_sha256=done.manifest_sha256,
        size_bytes=done.size_bytes,
        captures=len(done.manifest.captures),
        analyses=len(done.manifest.analyses),
        documents=done.documents,
        weeks=tuple(sorted(done.manifest.weeks)),
    )


def export_page(done: BundleExport, url: str) -> Page:
    """How much was written."""
    page = Page()
    if not done.captures:
        page.line(f"{url} has none of the captures asked for: {done.file} is an empty bundle.")
    else:
        page.line(f"{count(done.captures, 'capture')} of {count(len(done.weeks), 'week')} written to {done.file}")
        page.line(f"{count(done.size_bytes, 'byte')}, {count(done.documents, 'document')}")
    page.line(f"manifest {done.manifest_sha256}")
    return page


def import_document(done: Imported, file: str) -> BundleImport:
    """The document."""
    return BundleImport(
        file=file,
        manifest_sha256=done.manifest_sha256,
        added=done.replayed.captures,
        known=done.replayed.known,
        analyses=done.replayed.analyses,
        judged=done.replayed.weeks,
    )


def import_page(done: BundleImport, url: str) -> Page:
    """How much was added."""
    page = Page()
    page.line(f"{count(done.added, 'capture')} added to {url}, {done.known:,} there already")
    page.line(f"{count(len(done.judged), 'week')} judged again")
    page.line(f"manifest {done.manifest_sha256}")
    return page
