"""The head of the chain, to be kept where whoever can change the store cannot."""

from __future__ import annotations

from datetime import datetime

from attrs import evolve, frozen

from finra_core.domain.chain import canonical_json
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.timestamps import utc_text
from finra_core.ports.store import ReadView


@frozen(kw_only=True)
class Checkpoint:
    """A head of a chain. store: the hash of its first entry, which no other store's chain has.

    signature: Ed25519, in hex, over the canonical JSON of the other fields; None where it is not signed.
    """

    store: str
    seq: int
    hash: str
    at: datetime
    signature: str | None = None

    def signed_bytes(self) -> bytes:
        """What is signed."""
        return canonical_json({"at": utc_text(self.at), "hash": self.hash, "seq": self.seq, "store": self.store})


def take_checkpoint(view: ReadView) -> Checkpoint:
    """The head as it is now.

    Raises:
        ConfigurationError: the chain has no entry yet.
    """
    head, first = view.chain_head(), view.chain(limit=1)
    if head is None or not first:
        raise ConfigurationError("the store has no chain yet: the first run that writes begins it")
    return Checkpoint(store=first[0].hash, seq=head.seq, hash=head.hash, at=head.at)


def sign(checkpoint: Checkpoint, private_key: bytes) -> Checkpoint:
    """The checkpoint with a signature. private_key: Ed25519, PEM, without a password.

    Raises:
        ConfigurationError: the key is none, or the package cryptography is missing.
    """
    key = _load(private_key, "private")
    signature: bytes = key.sign(checkpoint.signed_bytes())
    return evolve(checkpoint, signature=signature.hex())


def is_signed_by(checkpoint: Checkpoint, public_key: bytes) -> bool:
    """Whether the checkpoint has a signature of this key. public_key: Ed25519, PEM.

    Raises:
        ConfigurationError: the key is none, or the package cryptography is missing.
    """
    key = _load(public_key, "public")
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  as below

    try:
        key.verify(bytes.fromhex(checkpoint.signature or ""), checkpoint.signed_bytes())
    except (InvalidSignature, ValueError):
        return False
    return True


def _load(pem: bytes, which: str):  # type: ignore[no-untyped-def]
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  an extra, needed for signing alone
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415
    except ImportError as error:
        message = "a signature needs cryptography, which is not installed; pip install 'finra-core[sign]'"
        raise ConfigurationError(message) from error
    kinds = {"private": ed25519.Ed25519PrivateKey, "public": ed25519.Ed25519PublicKey}
    try:
        key = (
            serialization.load_pem_private_key(pem, None)
            if which == "private"
            else serialization.load_pem_public_key(pem)
        )
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"the {which} key cannot be read: give an Ed25519 key in PEM, no password") from error
    if not isinstance(key, kinds[which]):
        raise ConfigurationError(f"the {which} key is no Ed25519 key: make one with openssl genpkey -algorithm ed25519")
    return key
