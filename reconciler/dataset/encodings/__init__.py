"""The encodings of text: which ones the bytes of a file suggest, and the signs of a wrong one."""

from reconciler.dataset.encodings.suggest import (
    advise_encoding,
    codec_of,
    find_misread_name,
    is_misread,
    suggest_encodings,
)

__all__ = ["advise_encoding", "codec_of", "find_misread_name", "is_misread", "suggest_encodings"]
