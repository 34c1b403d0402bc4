"""The signature of a receipt: Ed25519 (RFC 8032) over its digest.

It proves that not a letter has changed since the holder of the key signed. It does not prove who that is, nor when: a
key says nothing of itself, and whoever changes a receipt can sign it anew by a key of their own. So a reader who must
be sure pins the public key that the signer told them.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

PURPOSE = "tunesmith receipt 1\n"  # before the digest: a signature for anything else is none of a receipt


class SigningKey:
    """A private key and what it does."""

    def __init__(self, key: Ed25519PrivateKey):
        self._key = key

    @classmethod
    def new(cls) -> "SigningKey":
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def of_pem(cls, pem: bytes) -> "SigningKey":
        """Raises ValueError where it is no Ed25519 key without a password."""
        try:
            key = load_pem_private_key(pem, password=None)
        except TypeError as error:  # it wants a password
            raise ValueError(str(error)) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("it is a key of another kind")
        return cls(key)

    @property
    def pem(self) -> bytes:
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public(self) -> str:
        """The public key, 64 hexadecimal digits."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, digest: str) -> str:
        return self._key.sign((PURPOSE + digest).encode()).hex()


def holds(signature: str, digest: str, public: str) -> bool:
    """Whether `signature` is that of `digest` by the key whose public half is `public`."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), (PURPOSE + digest).encode())
    except (InvalidSignature, ValueError):
        return False
    return True
