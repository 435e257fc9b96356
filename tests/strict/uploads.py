"""S3's uploads in parts: one that was given up or put together takes no further part."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.strict.refusal import Refusal

ENDING = frozenset({"AbortMultipartUpload", "CompleteMultipartUpload"})


class UploadLimits:
    def __init__(self) -> None:
        self._ended: set[str] = set()

    def check(self, call: str, url: str) -> None:
        if call in {"UploadPart", "CompleteMultipartUpload"} and _upload(url) in self._ended:
            raise Refusal("NoSuchUpload", "The specified upload does not exist.")

    def done(self, call: str, answer: int, upload: str) -> None:
        """Remember an upload that has ended; a call that was refused ends nothing."""
        if call in ENDING and answer < 300:
            self._ended.add(upload)


def _upload(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("uploadId", [""])[0]


def upload_of(params: dict[str, Any]) -> str:
    return _upload(params["url"])
