"""What a model is given with a question: the text that was read, so that it need not read it itself."""

from __future__ import annotations

_FRAMES = {"en": 'Text in the picture: "{text}"', "ja": "画像の文字：「{text}」"}


def with_text(question: str, text: str, language: str = "en") -> str:
    """The question with the recognised text before it; as it is where there is none.

    Before, so that what comes first stays the same while the question is being written, and has to be taken
    in only once. ``language`` is ``en`` or ``ja``.
    """
    if not text.strip():
        return question
    return f"{_FRAMES[language].format(text=text.strip())}\n{question}"
