"""The library's jobs that ask a hub: what they send to ``HubEngine``, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Protocol, TypeVar

from core.errors import LicenceNotAccepted
from core.jobs import Job
from core.models import licences
from core.models.catalogue import KnownRevision
from core.models.entries import Downloaded, DownloadPlan, OnProgress, Update
from core.models.imported import refuse_local
from core.models.layout import is_commit
from core.models.news import News
from core.models.records import ModelRecord
from core.models.stock import Stock, Target

T = TypeVar("T")


class Submit(Protocol):
    """Gives a job to the host of ``role`` and tells how it ended, as ``done`` when it did not fail."""

    def __call__(self, role: str, job: Job[T], repo: str, done: str = "") -> Job[T]: ...


class HubJobs:
    """``retry`` changes fields of ``transfer.Retry``."""

    def __init__(self, stock: Stock, news: News, submit: Submit, retry: Mapping[str, float]) -> None:
        self._stock = stock
        self._records = stock.records
        self._news = news
        self._submit = submit
        self._retry = dict(retry)

    def plan(self, name: str) -> Job[DownloadPlan]:
        """``ModelLibrary.plan_download``."""

        def convert(answer: dict[str, Any], _seconds: float) -> DownloadPlan:
            licence = str(answer["licence"])
            accepted = self._records.accepted(target.repo)
            return DownloadPlan(
                repo=target.repo,
                commit=answer["commit"],
                revision=answer["revision"],
                total_bytes=answer["total"],
                have_bytes=answer["have"],
                disk_bytes=answer["disk"],
                free_disk=answer["free"],
                licence=licence,
                licence_open=licences.is_open(licence),
                licence_accepted=accepted is not None and accepted.licence == licence,
                will_convert=answer["convert"],
            )

        target = self._target(name)
        params = self._hub_params(target, self._pinned(target))
        return self._submit("upkeep", Job("resolve", params, (), convert), target.repo)

    def download(
        self,
        name: str,
        accept_licence: bool,
        on_progress: OnProgress | None,
    ) -> Job[Downloaded]:
        """``ModelLibrary.download``."""
        target = self._target(name)
        return self._download(target, self._pinned(target), accept_licence, on_progress)

    def update(
        self,
        name: str,
        accept_licence: bool,
        on_progress: OnProgress | None,
    ) -> Job[Downloaded]:
        """``ModelLibrary.update``."""
        target = self._target(name)
        return self._download(target, target.revisions, accept_licence, on_progress)

    def check_update(self, name: str) -> Job[Update]:
        """``ModelLibrary.check_update``."""
        target = self._target(name)
        current = self._stock.current(target) or ""

        def convert(answer: dict[str, Any], _seconds: float) -> Update:
            latest = str(answer["commit"])
            size = answer["total"] - answer["have"]
            return Update(target.repo, current, latest, size, changed=latest != current)

        params = self._hub_params(target, target.revisions)
        return self._submit("upkeep", Job("resolve", params, (), convert), target.repo)

    def _target(self, name: str) -> Target:
        """Raises ModelUnknown, or ModelImported for a model that no hub has."""
        refuse_local(name)
        return self._stock.target(name)

    def _download(
        self,
        target: Target,
        revisions: Iterable[KnownRevision],
        accept_licence: bool,
        on_progress: OnProgress | None,
    ) -> Job[Downloaded]:
        accepted = self._records.accepted(target.repo)
        params = self._hub_params(target, revisions) | {
            "converted": str(self._stock.converted.of_repo(target.repo)),
            "accepted": accepted.licence if accepted else "",
            "accept": accept_licence,
        }

        def convert(answer: dict[str, Any], _seconds: float) -> Downloaded:
            return self._downloaded(target, answer)

        told = self._news.pieces(target.repo, on_progress)

        def on_piece(piece: dict[str, Any]) -> None:
            if "accepted" in piece:
                self._records.accept(target.repo, piece["accepted"])
            else:
                told(piece)

        job = Job("download", params, (), convert, on_piece)
        known = target.known
        if known and not known.licence_open:
            if not accept_licence and (accepted is None or accepted.licence != known.licence):
                job.fail(LicenceNotAccepted(model=known.title, licence=known.licence))
                return job
            self._records.accept(target.repo, known.licence)
        return self._submit("download", job, target.repo, "ready")

    def _pinned(self, target: Target) -> tuple[KnownRevision, ...]:
        """The revision in use first: a second download repairs it and does not move to another one."""
        record = self._records.model(target.repo)
        if record is None or not record.commit or target.exact or record.commit in record.imported:
            return target.revisions
        known = {revision.revision: revision for revision in target.revisions}
        return (known.get(record.commit) or KnownRevision(record.commit), *target.revisions)

    def _hub_params(self, target: Target, revisions: Iterable[KnownRevision]) -> dict[str, Any]:
        return self._stock.params(target) | {
            "retry": self._retry,
            "revisions": [asdict(revision) for revision in revisions],
            "licence": target.known.licence if target.known else "",
        }

    def _downloaded(self, target: Target, answer: dict[str, Any]) -> Downloaded:
        commit, revision = str(answer["commit"]), str(answer["revision"])

        def change(record: ModelRecord) -> None:
            record.role = target.role
            record.licence = str(answer["licence"])
            if not is_commit(revision):
                record.revision = revision
            record.arrived(commit, answer["files"])

        self._records.update(target.repo, change)
        return Downloaded(
            repo=target.repo,
            commit=commit,
            revision=revision,
            total_bytes=answer["total"],
            received_bytes=answer["received"],
            converted=answer["converted"],
            licence=answer["licence"],
        )
