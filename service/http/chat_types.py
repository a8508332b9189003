"""What OpenAI's reference calls a chat completion, as far as it is understood here.

After the public reference of "Create chat completion". What would change an answer and cannot be done is
refused; what only concerns OpenAI's own platform is taken and has no effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

MAX_SEED = 2**63 - 1
MAX_TOKENS = 2**31 - 1
UNSUPPORTED = "unsupported"
"""The type of a validation error about something that OpenAI can do."""
NOT_TEXT = "not_text"


def whole_text(text: str) -> str:
    """JSON can spell halves of characters, which are no text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError(NOT_TEXT, "it is not whole Unicode text") from None
    return text


def _nothing(value: Any) -> Any:
    if value:
        raise PydanticCustomError(UNSUPPORTED, "this cannot be done here")
    return value


def _only_text(value: list[str] | None) -> list[str] | None:
    if value is not None and set(value) != {"text"}:
        raise PydanticCustomError(UNSUPPORTED, "answers are text")
    return value


def _text_format(value: str) -> str:
    if value != "text":
        raise PydanticCustomError(UNSUPPORTED, "answers are text")
    return value


def _no_choice(value: Any) -> Any:
    if value not in (None, "none", "auto"):
        raise PydanticCustomError(UNSUPPORTED, "there are no tools here")
    return value


def _one(value: int | None) -> int | None:
    if value not in (None, 1):
        raise PydanticCustomError(UNSUPPORTED, "a question has one answer here")
    return value


Text = Annotated[str, AfterValidator(whole_text)]
_NoList = Annotated[
    list[Any] | None,
    AfterValidator(_nothing),
    WithJsonSchema({"anyOf": [{"type": "array", "maxItems": 0}, {"type": "null"}]}),
]
_NoMap = Annotated[
    dict[str, Any] | None,
    AfterValidator(_nothing),
    WithJsonSchema({"anyOf": [{"type": "object", "maxProperties": 0}, {"type": "null"}]}),
]
_NoCall = Annotated[Any, AfterValidator(_nothing), WithJsonSchema({"type": "null"})]
_Zero = Annotated[float | None, AfterValidator(_nothing), WithJsonSchema({"enum": [0, None]})]
_NoChoice = Annotated[Any, AfterValidator(_no_choice), WithJsonSchema({"enum": ["none", "auto", None]})]
_One = Annotated[int | None, AfterValidator(_one), WithJsonSchema({"enum": [1, None]})]
_OnlyText = Annotated[
    list[str] | None,
    AfterValidator(_only_text),
    WithJsonSchema(
        {"anyOf": [{"type": "array", "items": {"enum": ["text"]}, "minItems": 1}, {"type": "null"}]}
    ),
]
_TextFormat = Annotated[str, AfterValidator(_text_format), WithJsonSchema({"enum": ["text"]})]
_Ignored = Annotated[Any, Field(default=None, description="Taken, and has no effect.")]


class _Sent(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


# ---- what is asked


class TextPart(_Sent):
    type: Literal["text"]
    text: Text


class ImageUrl(_Sent):
    url: Annotated[str, AfterValidator(whole_text), Field(min_length=1)] = Field(
        description="A `data:` URL with base64. http and https only from hosts that the operator allows."
    )
    detail: Literal["auto", "low", "high", "original"] | None = Field(
        None, description="Taken, and has no effect."
    )


class ImagePart(_Sent):
    type: Literal["image_url"]
    image_url: ImageUrl


class RefusalPart(_Sent):
    type: Literal["refusal"]
    refusal: Text


Part = Annotated[TextPart | ImagePart | RefusalPart, Field(discriminator="type")]


class ChatMessage(_Sent):
    """One turn. The pictures of a turn are looked at before its text, wherever they stand in it."""

    # Clients send answers back with whatever else they were given.
    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | list[Part] | None = None
    name: Text | None = Field(None, description="Taken, and has no effect.")
    tool_calls: _NoList = None
    function_call: _NoCall = None


class StreamOptions(_Sent):
    include_usage: bool | None = Field(
        None, description="Whether a last piece, without text, tells the tokens that were used."
    )
    include_obfuscation: bool | None = Field(None, description="Taken, and has no effect.")


class ResponseFormat(_Sent):
    model_config = ConfigDict(extra="ignore")

    type: _TextFormat


_STOP = Annotated[Text, Field(min_length=1, max_length=1000)]


class ChatRequest(_Sent):
    """A conversation, of which the last turn is the user's and is to be answered."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=2048)
    model: Text | None = Field(
        None,
        description="A name that `GET /v1/models` tells. `default`, `auto` and nothing mean the one of the "
        "service's settings.",
    )
    stream: bool | None = Field(
        None, description="Whether the answer comes in pieces, as server-sent events."
    )
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(
        None,
        ge=0,
        le=2,
        description="0 takes the likeliest token each time. As the service is set to, when left out.",
    )
    top_p: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Tokens are drawn from the likeliest that together have this probability. As the service "
        "is set to, when left out.",
    )
    max_completion_tokens: int | None = Field(
        None,
        ge=1,
        le=MAX_TOKENS,
        description="The longest answer. As the service is set to, when left out.",
    )
    max_tokens: int | None = Field(None, ge=1, le=MAX_TOKENS, description="The older name of the same.")
    stop: _STOP | Annotated[list[_STOP], Field(max_length=4)] | None = Field(
        None, description="The answer ends before the first of these texts, of which nothing is told."
    )
    seed: int | None = Field(
        None,
        ge=-MAX_SEED - 1,
        le=MAX_SEED,
        description="The same seed gives the same answer on the same machine.",
    )
    logprobs: bool | None = Field(None, description="Whether the tokens are told, with their likelihoods.")
    top_logprobs: int | None = Field(
        None, ge=0, le=20, description="How many of the likeliest are told for each token. Needs `logprobs`."
    )
    n: _One = Field(None, description="1.")
    response_format: ResponseFormat | None = Field(None, description='`{"type": "text"}`.')
    modalities: _OnlyText = Field(None, description='`["text"]`.')
    frequency_penalty: _Zero = Field(None, description="0.")
    presence_penalty: _Zero = Field(None, description="0.")
    logit_bias: _NoMap = Field(None, description="Empty.")
    tools: _NoList = Field(None, description="Empty: models here call no tools.")
    functions: _NoList = Field(None, description="Empty: models here call no functions.")
    tool_choice: _NoChoice = Field(None, description="`none` or `auto`.")
    function_call: _NoChoice = Field(None, description="`none` or `auto`.")
    parallel_tool_calls: _Ignored = None
    user: _Ignored = None
    store: _Ignored = None
    metadata: _Ignored = None
    service_tier: _Ignored = None
    safety_identifier: _Ignored = None
    prompt_cache_key: _Ignored = None
    prompt_cache_retention: _Ignored = None

    @property
    def stops(self) -> tuple[str, ...]:
        if self.stop is None:
            return ()
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)

    @property
    def wants_usage(self) -> bool:
        return self.stream_options is not None and bool(self.stream_options.include_usage)


EXAMPLES = {
    "picture": {
        "summary": "A question about a picture",
        "value": {
            "model": "default",
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is in this picture?"},
                        {
                            "type": "image_url",
                            "image_url": {
                                "url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1Pe"
                                "AAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
                            },
                        },
                    ],
                }
            ],
            "max_completion_tokens": 64,
        },
    },
    "stream": {
        "summary": "An answer as it comes, with what it took",
        "value": {
            "model": "default",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "これは何ですか？"},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0,
            "stop": ["\n\n"],
        },
    },
}


# ---- what is answered


class TopLogprob(BaseModel):
    token: str
    logprob: float
    bytes: list[int]


class TokenLogprob(TopLogprob):
    """A token with its likelihood before temperature and top_p. It may be a part of a character: `bytes`
    are exact."""

    top_logprobs: list[TopLogprob] = Field(default_factory=list)


class Logprobs(BaseModel):
    content: list[TokenLogprob]
    refusal: None = None


class CompletionMessage(BaseModel):
    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


FinishReason = Literal["stop", "length"]


class Choice(BaseModel):
    index: int = 0
    message: CompletionMessage
    logprobs: Logprobs | None = None
    finish_reason: FinishReason


class PromptDetails(BaseModel):
    cached_tokens: int = 0


class CompletionUsage(BaseModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails


class ChatCompletion(BaseModel):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage | None = Field(None, description="Null where a server answers that does not tell.")


class Delta(BaseModel):
    role: Literal["assistant"] | None = None
    content: str | None = None


class ChunkChoice(BaseModel):
    index: int = 0
    delta: Delta
    logprobs: Logprobs | None = None
    finish_reason: FinishReason | None = None


class ServedModel(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="When its files came here, in seconds since 1970; 0 where not known.")
    owned_by: str


class ServedModels(BaseModel):
    object: Literal["list"] = "list"
    data: list[ServedModel]


class OpenAiErrorBody(BaseModel):
    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAiError(BaseModel):
    error: OpenAiErrorBody


def field_names() -> Iterator[str]:
    """Every name that a request may have, at whatever depth."""
    for model in (
        ChatRequest,
        ChatMessage,
        TextPart,
        ImagePart,
        ImageUrl,
        RefusalPart,
        StreamOptions,
        ResponseFormat,
    ):
        yield from model.model_fields
