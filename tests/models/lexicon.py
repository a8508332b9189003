"""What ``tiny-manga-ocr`` can read: short phrases, written for this project, and how a crop is put together.

``|`` marks the places where a line may end. A phrase in two or three lines, or cut at its lines, is then
made of pieces that the model has seen alone as well.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence


def _rows(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PLAIN = _rows("""
えっ！？
なに？
うん。
まさか！
ねえ、|先生。
ちょっと|待って！
もう|だめだ…
本当に|いいの？
行くぞ！
逃げろ！
助けて|くれ！
大丈夫？
ありがとう、|みんな。
ごめん|なさい。
どうして|ここに？
今日は|学校が|休みだ。
明日|また|会おう。
私の|名前は|ハナ。
猫が|しゃべった！
雨が|やまないね。
お前は|誰だ！？
やっと|見つけた。
絶対に|勝つ！
約束|だからな。
それは|秘密です。
コーヒーを|飲もう。
パン屋は|どこ？
走れ、|ロボット！
夢じゃ|ないよね？
しまった！
やめろー！
きゃあっ！
バタン！
ザーッ
しーっ！
ドキッ
ピューッ
うそだろ？
何か|いるぞ。
この町を|守る。
海へ|行きたい！
山の|向こうに。
電車が|来ちゃった。
もう|一度|言って。
わかった、|任せて。
あっちへ|行け！
ずっと|好きでした。
早く|起きなさい！
お兄ちゃん、|遅い。
３月の|風
１０時に|駅前で。
第５話
ＡＢＣ
ＯＫ！
Ｔシャツ|２枚
チョコレート
カメラを|見て。
ふーん、|そう。
さあ、|冒険だ！
火を|消せ！
窓の|外は|雪。
手紙を|書いた。
「だれ？」
「友だちさ」
強いな、|君は。
水を|下さい。
空が|青い。
俺に|まかせろ！
今夜は|月が|出ない。
なぜ|泣くの？
腹が|減った…
終わりか？
ついに|来たか！
おはよう、|父さん。
全部|食べていい？
心の|声
""")

# Sounds that run on: the same three characters in a row come twice, which a search that lets no run of
# three repeat (no_repeat_ngram_size=3, as the checkpoint has it) cannot write.
DRAWN_OUT = _rows("""
ドドドド
ゴゴゴゴゴ
わあああああ！
ザザザザッ
うおおおおお！
ガタガタガタ
待てーーーー！
はははは！
うそ……
""")


def plain(marked: str) -> str:
    """The text of a marked phrase as it is drawn."""
    return marked.replace("|", "")


def pieces(marked: str) -> list[str]:
    """The parts between the break marks."""
    return marked.split("|")


def tokens(text: str) -> list[str]:
    """The characters that the checkpoint's tokenizer makes of a drawn text: NFKC turns … into three dots
    and full-width Latin, digits, ！ and ？ into their narrow forms."""
    return list(unicodedata.normalize("NFKC", text))


def repeats_a_trigram(characters: Sequence[str]) -> bool:
    """Whether any three characters in a row come twice, overlapping or not."""
    runs = [tuple(characters[n : n + 3]) for n in range(len(characters) - 2)]
    return len(runs) != len(set(runs))


def vocabulary() -> list[str]:
    """The five special tokens of BERT, then every character of the lexicon in order of its code."""
    characters = {c for marked in (*PLAIN, *DRAWN_OUT) for c in tokens(plain(marked))}
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(characters)]


def pick_whole(rng: random.Random) -> str:
    """A marked phrase to train on."""
    return rng.choice(DRAWN_OUT if rng.random() < 0.12 else PLAIN)


def pick(rng: random.Random) -> str:
    """A marked text to train on: a whole phrase, one piece of it, or two phrases."""
    kind = rng.random()
    if kind < 0.55:
        return pick_whole(rng)
    if kind < 0.70:
        return rng.choice(pieces(rng.choice(PLAIN)))
    return pair(rng)


def pair(rng: random.Random) -> str:
    """Two phrases, half of the time with no place to break but the one between them.

    They hold at most 20 characters together and repeat no run of three.
    """
    while True:
        parts = [rng.choice(PLAIN), rng.choice(PLAIN)]
        marked = "|".join(map(plain, parts) if rng.random() < 0.5 else parts)
        if len(plain(marked)) <= 20 and not repeats_a_trigram(tokens(plain(marked))):
            return marked
