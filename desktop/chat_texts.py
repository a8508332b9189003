"""What is said about an answer: beside it, and in its details."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from core.chat import Answer, Finish, Usage
from core.conversation_types import Turn, TurnState
from desktop.texts import device_word, engine_title, error_sentence

translate = QCoreApplication.translate


def tokens_per_second(answer: Answer) -> float | None:
    """How fast the words came, without the wait for the first one; None where that was not told."""
    tokens, seconds = answer.usage.answer, answer.seconds - answer.first_seconds
    if tokens is None or tokens < 2 or seconds <= 0:
        return None
    return (tokens - 1) / seconds


def speed_text(speed: float) -> str:
    """``41 tokens/s``"""
    return translate("Chat", "{0} tokens/s").format(f"{speed:.0f}" if speed >= 10 else f"{speed:.1f}")


def facts(answer: Answer, short: bool = False) -> str:
    """``likelihood 0.83 · 41 tokens/s``, or ``short``: the first of them; what was not told is left out."""
    told = []
    if answer.confidence is not None:
        told.append(translate("Chat", "likelihood {0}").format(f"{answer.confidence:.2f}"))
    speed = tokens_per_second(answer)
    if speed is not None and not (short and told):
        told.append(speed_text(speed))
    return " · ".join(told)


def about_confidence() -> str:
    return translate(
        "Chat",
        "The geometric mean of the likelihoods the model gave its own words: how sure it was of its wording, "
        "not whether it is right.",
    )


def ending(turn: Turn) -> str:
    """Why there is no more of an answer; empty when it ended by itself, or has not ended."""
    if turn.state is TurnState.STOPPED:
        return translate("Chat", "Stopped.")
    if turn.state is TurnState.INTERRUPTED:
        return translate("Chat", "Interrupted: Yomitori ended before the answer did.")
    if turn.answer is None or turn.state is not TurnState.DONE:
        return ""
    if turn.answer.finish is Finish.LENGTH:
        return translate("Chat", "Cut off: this is the longest answer that the options allow.")
    if turn.answer.finish is Finish.CONTEXT:
        return translate("Chat", "Cut off: the model's context is full.")
    return "" if turn.text.strip() else translate("Chat", "The model answered nothing.")


def waiting(text: str, percent: float | None) -> str:
    """What a question waits for: ``Reading the question… 40 %``."""
    text = text or translate("Chat", "One moment…")
    return text if percent is None else translate("Chat", "{0} {1} %").format(text, round(percent))


def details(turn: Turn) -> list[tuple[str, str]]:
    """Everything that was told of an answer, as names and values."""
    answer, ended = turn.answer, _unfinished(turn)
    if answer is None:
        return [(translate("Chat", "Ended because"), ended)] if ended else []
    rows = [
        (translate("Chat", "Model"), answer.model),
        (translate("Chat", "Engine"), engine_title(answer.engine) if answer.engine else ""),
        (translate("Chat", "Device"), device_word(answer.device) if answer.device else ""),
        (translate("Chat", "Precision"), answer.precision),
        *_usage(answer.usage),
    ]
    if answer.first_seconds > 0:
        rows.append((translate("Chat", "Time to the first word"), _seconds(answer.first_seconds)))
    if answer.seconds > 0:
        rows.append((translate("Chat", "Time in all"), _seconds(answer.seconds)))
    speed = tokens_per_second(answer)
    if speed is not None:
        rows.append((translate("Chat", "Speed"), speed_text(speed)))
    ends = {
        Finish.STOP: translate("Chat", "the model was done"),
        Finish.LENGTH: translate("Chat", "the longest answer allowed"),
        Finish.CONTEXT: translate("Chat", "the context was full"),
    }
    rows.append((translate("Chat", "Ended because"), ended or ends[answer.finish]))
    if answer.confidence is not None:
        rows.append((translate("Chat", "Likelihood"), f"{answer.confidence:.2f}"))
    return [(name, value) for name, value in rows if value]


def about_unfinished() -> str:
    return translate("Chat", "Speed and tokens are only told of an answer that was finished.")


def _unfinished(turn: Turn) -> str:
    """Why an answer ended before its end, to stand behind “Ended because”; empty when it did not."""
    if turn.state is TurnState.STOPPED:
        return translate("Chat", "you stopped it")
    if turn.state is TurnState.INTERRUPTED:
        return translate("Chat", "Yomitori ended first")
    if turn.state is TurnState.FAILED:
        return translate("Chat", "it failed") if turn.error is None else error_sentence(turn.error)
    return ""


def _usage(usage: Usage) -> list[tuple[str, str]]:
    used = None if usage.prompt is None else usage.prompt + (usage.answer or 0)
    if used is not None and usage.context is not None:
        context = translate("Chat", "{0} of {1}").format(_number(used), _number(usage.context))
    else:
        context = _number(used)
    return [
        (translate("Chat", "Tokens of pictures"), _number(usage.images)),
        (translate("Chat", "Tiles"), _number(usage.tiles)),
        (translate("Chat", "Tokens of the conversation"), _number(usage.prompt)),
        (translate("Chat", "Of these reused"), _number(usage.reused)),
        (translate("Chat", "Tokens of the answer"), _number(usage.answer)),
        (translate("Chat", "Context used"), context),
    ]


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _seconds(value: float) -> str:
    return translate("Chat", "{0} s").format(f"{value:.1f}" if value >= 1 else f"{value:.2f}")
