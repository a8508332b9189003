"""A request in OpenAI's words, as the core's conversation and options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.chat import GenerationOptions, Message, Role
from core.service_errors import InvalidValue, PromptTooLong, TooManyPictures
from core.settings import Vision
from core.types import RgbImage
from service.http.chat_types import ChatMessage, ChatRequest, ImagePart, TextPart
from service.http.config import ServiceConfig


@dataclass(slots=True)
class Turn:
    """A message whose pictures have not been fetched. ``urls`` are those of its pictures, in order."""

    role: Role
    text: str
    urls: list[str] = field(default_factory=list)


def turns_of(request: ChatRequest, config: ServiceConfig) -> list[Turn]:
    """The conversation as models are taught to take it: what the system says is one turn before all others,
    and no two turns of one role follow each other.

    Raises:
        InvalidValue: the last turn is not the user's, or a picture is not in a turn of the user's.
        PromptTooLong, TooManyPictures: there is more than the service takes.
    """
    turns = [_turn(message, number) for number, message in enumerate(request.messages)]
    if turns[-1].role is not Role.USER:
        raise InvalidValue(param="messages", reason="the last one has to be the user's")
    _check(turns, config)
    said = [turn.text for turn in turns if turn.role is Role.SYSTEM and turn.text]
    made = [Turn(Role.SYSTEM, "\n\n".join(said))] if said else []
    for turn in turns:
        if turn.role is Role.SYSTEM:
            continue
        if made and made[-1].role is turn.role:
            made[-1].text = "\n\n".join(text for text in (made[-1].text, turn.text) if text)
            made[-1].urls += turn.urls
        else:
            made.append(turn)
    return made


def messages_of(turns: Sequence[Turn], pictures: Sequence[RgbImage]) -> list[Message]:
    """``pictures`` are those of all turns, in order."""
    made, used = [], 0
    for turn in turns:
        end = used + len(turn.urls)
        made.append(Message(turn.role, turn.text, tuple(pictures[used:end])))
        used = end
    return made


def options_of(request: ChatRequest, vision: Vision) -> GenerationOptions:
    """How the answer is chosen; ``vision`` tells what the request leaves open.

    Raises:
        InvalidValue: two of its values contradict each other.
    """
    if request.max_tokens is not None and request.max_completion_tokens is not None:
        raise InvalidValue(param="max_tokens", reason="max_completion_tokens is the same, send one of them")
    if request.top_logprobs is not None and not request.logprobs:
        raise InvalidValue(param="top_logprobs", reason="it needs logprobs to be true")
    if request.stream_options is not None and not request.stream:
        raise InvalidValue(param="stream_options", reason="it needs stream to be true")
    longest = request.max_tokens or request.max_completion_tokens or vision.max_tokens
    return GenerationOptions(
        vision.temperature if request.temperature is None else request.temperature,
        vision.top_p if request.top_p is None else request.top_p,
        longest,
        request.seed,
        request.stops,
        (request.top_logprobs or 0) if request.logprobs else None,
    )


def _turn(message: ChatMessage, number: int) -> Turn:
    where = f"messages[{number}].content"
    role = Role.SYSTEM if message.role == "developer" else Role(message.role)
    if message.content is None:
        raise InvalidValue(param=where, reason="it is missing")
    if isinstance(message.content, str):
        return Turn(role, message.content)
    texts, urls = [], []
    for place, part in enumerate(message.content):
        if isinstance(part, ImagePart):
            if role is not Role.USER:
                raise InvalidValue(param=f"{where}[{place}]", reason="only the user's turns have pictures")
            urls.append(part.image_url.url)
        else:
            texts.append(part.text if isinstance(part, TextPart) else part.refusal)
    return Turn(role, "\n".join(texts), urls)


def _check(turns: Sequence[Turn], config: ServiceConfig) -> None:
    """Before anything is decoded."""
    length = sum(len(turn.text) for turn in turns)
    if length > config.prompt_chars:
        raise PromptTooLong(count=length, limit=config.prompt_chars)
    count = sum(len(turn.urls) for turn in turns)
    if count > config.pictures:
        raise TooManyPictures(count=count, limit=config.pictures)
