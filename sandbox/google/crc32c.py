"""CRC32C (Castagnoli), the checksum of a secret's payload, table-driven and without a dependency.

Source: Secret Manager docs, 'Data integrity assurance' (secret-manager/docs/data-integrity); RFC 3720 appendix B.4.
The server computes its own instead of borrowing the adapter's: a shared mistake would agree with itself.
"""

from __future__ import annotations

# The reversed Castagnoli polynomial (RFC 3720).
_POLYNOMIAL = 0x82F63B78
_ALL_ONES = 0xFFFFFFFF
_BYTE = 0xFF
_BYTE_VALUES = 256
_BITS = 8


def _row(byte: int) -> int:
    for _ in range(_BITS):
        byte = (byte >> 1) ^ _POLYNOMIAL if byte & 1 else byte >> 1
    return byte


_TABLE = tuple(_row(byte) for byte in range(_BYTE_VALUES))


def crc32c(data: bytes) -> int:
    """The CRC32C of `data` as an unsigned 32-bit number (the service carries it in an int64)."""
    crc = _ALL_ONES
    for byte in data:
        crc = (crc >> _BITS) ^ _TABLE[(crc ^ byte) & _BYTE]
    return crc ^ _ALL_ONES
