"""zstd differences: a document compressed with another payload as its dictionary.

A restatement of three rows in 50,000 takes some hundred bytes so, where the whole document takes 400 kB. The settings
matter. zstd looks only at the first 8 << hash_log bytes of a dictionary, and finds nothing further back than its
window.
"""

from __future__ import annotations

from collections.abc import Sequence

LARGEST = 1 << 27
"""Bytes of base and document together. The window that spans them is held in memory."""
_LEVEL = 1
_MIN_HASH_LOG, _MAX_HASH_LOG = 19, 26
_REACH = 3
"""zstd looks at 8 bytes for each place in its hash table: 1 << 3."""


def deltas(base: bytes, documents: Sequence[bytes]) -> list[bytes] | None:
    """Each document as a difference to the base; None where they are too large together."""
    from zstandard import (  # noqa: PLC0415  rarely needed
        DICT_TYPE_RAWCONTENT,
        STRATEGY_FAST,
        ZstdCompressionDict,
        ZstdCompressionParameters,
        ZstdCompressor,
    )

    both = len(base) + max(map(len, documents), default=0)
    if not base or both > LARGEST:
        return None
    hash_log = min(max(_MIN_HASH_LOG, len(base).bit_length() - _REACH), _MAX_HASH_LOG)
    parameters = ZstdCompressionParameters.from_level(
        _LEVEL, window_log=max(both.bit_length(), 10), hash_log=hash_log, strategy=STRATEGY_FAST
    )
    dictionary = ZstdCompressionDict(base, dict_type=DICT_TYPE_RAWCONTENT)
    dictionary.precompute_compress(compression_params=parameters)  # once, and not for each document
    compressor = ZstdCompressor(compression_params=parameters, dict_data=dictionary)
    return [compressor.compress(document) for document in documents]


def expand(base: bytes, delta: bytes) -> bytes:
    """The document of which this is the difference to the base.

    Raises:
        zstandard.ZstdError: it is no such difference.
    """
    from zstandard import DICT_TYPE_RAWCONTENT, ZstdCompressionDict, ZstdDecompressor  # noqa: PLC0415  as above

    dictionary = ZstdCompressionDict(base, dict_type=DICT_TYPE_RAWCONTENT)
    return ZstdDecompressor(dict_data=dictionary, max_window_size=2 * LARGEST).decompress(delta)
