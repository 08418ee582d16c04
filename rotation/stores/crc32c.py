"""CRC32C (Castagnoli), with which Google Secret Manager checks payloads; the client library brings none.

Source: Secret Manager documentation, 'Data integrity assurance'; RFC 3720 appendix B.4. Pure Python: payloads are
credentials of a few hundred bytes, and a compiled package would tie the function's zip to one platform.
"""

from __future__ import annotations

# The reversed Castagnoli polynomial (RFC 3720).
_POLYNOMIAL = 0x82F63B78
_ALL_ONES = 0xFFFFFFFF


def _entry(byte: int) -> int:
    crc = byte
    for _ in range(8):
        crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
    return crc


_TABLE = [_entry(byte) for byte in range(256)]


def crc32c(data: bytes) -> int:
    """The checksum of `data`, 0 to 2**32 - 1."""
    crc = _ALL_ONES
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ _ALL_ONES
