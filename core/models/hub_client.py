"""What a hub says about a model: commit, files with sizes and sums, licence. Child process only.

Through ``huggingface_hub``, whose client knows ``HF_ENDPOINT``, ``HF_TOKEN`` and the token that a login
left, proxies, and ``HF_HUB_OFFLINE``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi, constants, get_session, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

from core import __version__
from core.errors import DownloadDamaged, HubBusy, HubError, HubNotFound, HubOffline, HubUnreachable
from core.models.hashing import Wanted, is_oid
from core.models.layout import BIN_WEIGHTS, is_commit
from core.models.licences import NOT_STATED
from core.models.selection import choose, has_weights
from core.models.steps import IsCancelled, Meter, Steps, pause
from core.models.transfer import Again, Retry, Source, check_status, origin, unreachable

T = TypeVar("T")
_METADATA_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A revision of a model on the hub, with the files that are needed to load it."""

    repo: str
    revision: str
    commit: str
    licence: str
    files: tuple[Wanted, ...]

    @property
    def total(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def bin_size(self) -> int:
        """Bytes of a ``.bin`` that has to be converted, 0 when there is none."""
        return sum(file.size for file in self.files if file.name == BIN_WEIGHTS)


class HubClient:
    """One conversation with the hub. Raises HubOffline when the environment forbids any."""

    def __init__(self, repo: str, retry: Retry) -> None:
        if constants.is_offline_mode():
            on = next((n for n in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") if os.environ.get(n)), "")
            raise HubOffline(variable=on or "HF_HUB_OFFLINE", model=repo)
        self._repo = repo
        self.retry = retry
        self._api = HfApi(library_name="yomitori", library_version=__version__)
        self.host = urlsplit(constants.ENDPOINT).netloc

    def source(self, found: Found, name: str) -> Source:
        """Where to fetch a file of a revision."""
        url = hf_hub_url(self._repo, name, revision=found.commit)
        headers = build_hf_headers(library_name="yomitori", library_version=__version__)
        return self._source(url, headers, found.revision)

    def _source(self, url: str, headers: Mapping[str, str], revision: str) -> Source:
        trusted = frozenset({origin(constants.ENDPOINT), "https://huggingface.co:443"})
        return Source(get_session(), url, headers, trusted, self._repo, revision)

    def find(
        self, revisions: Iterable[Mapping[str, Any]], meter: Meter, cancelled: IsCancelled
    ) -> Steps[Found]:
        """The first of ``revisions`` that the hub has with weights that can be loaded.

        Each is ``{"revision", "files": [{"name", "size", "sha256"}]}``; for one that is a commit, what is
        known of its files must be what the hub says.

        Raises:
            HubNotFound: it has none of them. HubRefused, HubBusy, HubUnreachable, HubError: as they say.
            DownloadDamaged: a commit's files are not those that are known.
        """
        missing: HubError | None = None
        for wanted in revisions:
            revision = str(wanted["revision"])
            try:
                info = yield from self._ask(revision, meter, cancelled)
                return self._found(info, revision, wanted.get("files") or ())
            except HubNotFound as error:
                # What was named first is what the sentence should tell of.
                missing = missing or error
        raise missing or HubNotFound(host=self.host, model=self._repo, revision="")

    def _ask(self, revision: str, meter: Meter, cancelled: IsCancelled) -> Steps[Any]:
        timeout = self.retry.connect + self.retry.read

        def ask() -> Any:
            return self._api.model_info(self._repo, revision=revision, files_metadata=True, timeout=timeout)

        for attempt in range(1, _METADATA_ATTEMPTS + 1):
            try:
                return self._guarded(ask, revision)
            except Again as again:
                wait = self.retry.delay(attempt) if again.wait is None else again.wait
                if again.wait is not None and again.wait > self.retry.longest_wait:
                    raise HubBusy(host=self.host, seconds=round(again.wait)) from again
                if attempt == _METADATA_ATTEMPTS:
                    raise again.why from again
            yield from pause(wait, meter, cancelled)
        raise AssertionError("unreachable")

    def _guarded(self, ask: Callable[[], T], revision: str) -> T:
        try:
            return ask()
        except OfflineModeIsEnabled as error:
            raise HubOffline(variable="HF_HUB_OFFLINE", model=self._repo) from error
        except HfHubHTTPError as error:
            check_status(error.response, self._source(constants.ENDPOINT, {}, revision))
            raise HubError(model=self._repo, reason=str(error)) from error
        except httpx2.TransportError as error:
            raise Again(unreachable(self.host, error)) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # Something that is no hub answered, or an answer is not what it was.
            reason = "what it answered is not what a model hub answers"
            raise Again(HubUnreachable(host=self.host, reason=reason)) from error

    def _found(self, info: Any, revision: str, known: Iterable[Mapping[str, Any]]) -> Found:
        commit = str(info.sha)
        if not is_commit(commit):
            raise HubError(model=self._repo, reason="the hub does not say which commit it is")
        siblings = {str(sibling.rfilename): sibling for sibling in info.siblings or ()}
        names = choose(siblings)
        files = tuple(self._wanted(siblings[name]) for name in names)
        if "config.json" not in names or not has_weights(names):
            raise HubNotFound(host=self.host, model=f"weights of {self._repo}", revision=revision)
        if is_commit(revision):
            self._compare(files, known)
        return Found(self._repo, revision, commit, _licence(info), files)

    def _wanted(self, sibling: Any) -> Wanted:
        lfs = sibling.lfs
        oid = str(lfs.sha256 if lfs else sibling.blob_id)
        size = lfs.size if lfs else sibling.size
        if not is_oid(oid) or not isinstance(size, int) or size < 0:
            raise HubError(model=self._repo, reason=f"the hub tells no size or sum of {sibling.rfilename}")
        return Wanted(sibling.rfilename, size, oid)

    def _compare(self, files: Iterable[Wanted], known: Iterable[Mapping[str, Any]]) -> None:
        """A commit cannot change: a hub that says otherwise is not the one it seems."""
        announced = {file.name: file for file in files}
        for entry in known:
            file = announced.get(str(entry["name"]))
            wrong_size = file and entry["size"] is not None and file.size != entry["size"]
            sha256 = entry["sha256"]
            wrong_sum = file and sha256 is not None and len(file.oid) == 64 and file.oid != sha256
            if wrong_size or wrong_sum:
                raise DownloadDamaged(name=str(entry["name"]), model=self._repo)


def _licence(info: Any) -> str:
    card = getattr(info, "card_data", None)
    licence = getattr(card, "license", None) if card is not None else None
    if isinstance(licence, list):
        licence = " and ".join(str(part) for part in licence)
    if not licence:
        tags = [str(tag) for tag in info.tags or ()]
        licence = next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), None)
    if licence == "other":
        name = getattr(card, "license_name", None)
        licence = str(name) if name else "other"
    return str(licence) if licence else NOT_STATED
