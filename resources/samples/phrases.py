"""Our own sentences for the samples: written by hand, and put together from a seeded grammar.

In the marked-up form ``|`` is a place where a line may end, and ``{明日/あした}`` is a word with its reading.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Token:
    """A run of characters, its reading if it has one, and whether a line may end after it."""

    text: str
    reading: str = ""
    breaks: bool = False


Phrase = tuple[Token, ...]

_MARKUP = re.compile(r"\{([^/}]+)/([^}]+)\}|(\|)|([^{|]+)")
# Marks after which a line may end without being told to.
_PAUSE = re.compile(r"(?<=[、。！？…])(?![、。！？…」』])")


def parse(marked: str) -> Phrase:
    """The tokens of a marked-up phrase."""
    tokens: list[Token] = []
    for word, reading, bar, plain in _MARKUP.findall(marked):
        if bar:
            tokens[-1] = replace(tokens[-1], breaks=True)
        elif word:
            tokens.append(Token(word, reading))
        else:
            for part in filter(None, _PAUSE.split(plain)):
                tokens.append(Token(part, breaks=part[-1] in "、。！？…"))
    return tuple(tokens)


def plain(phrase: Phrase) -> str:
    """The text of a phrase without its readings."""
    return "".join(token.text for token in phrase)


SHORT = """
えっ！
うわー
はい。
ドドド
ねえ、
ふーん。
あっ……
なんだ？
まさか！
うん、うん。
ほらっ！
よーし！
きゃあっ！
ちょっと！
げっ！？
やったー！
いいえ。
おーい！
ゴゴゴゴ
ザーッ
ギャー！
しーっ！
もう……
そっか。
バタン！
ピューッ
なにっ！？
ごめんね。
うそだろ……
{待/ま}って！
{本当/ほんとう}？
{逃/に}げろ！
{助/たす}けて！
{行/い}くぞ！
{痛/いた}っ！
{何/なに}？
{違/ちが}う！
{早/はや}く！
{了解/りょうかい}！
{大丈夫/だいじょうぶ}？
"""

SENTENCES = """
おはよう、|{先生/せんせい}！
{明日/あした}は|{学校/がっこう}で|{会/あ}おうね。
そんなこと、|{急/きゅう}に|{言/い}われても|{困/こま}るよ。
この|{町/まち}には|{秘密/ひみつ}が|あるんだ。
あの|{屋根/やね}の|{上/うえ}に|{誰/だれ}か|いるぞ！
ちょっと|{待/ま}ってよ！|まだ|{準備/じゅんび}が|できてないの。
コーヒーでも|{飲/の}もうか。
ねえ、|{猫/ねこ}が|しゃべったよ！
しょうがないな、|{今日/きょう}だけだぞ。
きみの|{名前/なまえ}を|{教/おし}えてくれないか？
{電車/でんしゃ}は|もう|{行/い}っちゃったよ。
{腹/はら}が|{減/へ}っては|{戦/いくさ}は|できぬ、|ってね。
{駅前/えきまえ}の|パン{屋/や}さんで|{待/ま}ってるからな。
なんで|ここに|いるんだよ！？
{昔/むかし}から|ずっと、|この|{海/うみ}を|{見/み}てきた。
{夢/ゆめ}を|{見/み}ていたのかも|しれない……
{約束/やくそく}は|{守/まも}ってもらうよ。
スープが|{冷/さ}めちゃうわよ、|{早/はや}く|{座/すわ}って！
{窓/まど}を|{開/あ}けてみたら、|{雪/ゆき}だった。
やっと|{見/み}つけた！|おばあちゃんの|{時計/とけい}だ。
{手紙/てがみ}を|{書/か}いたのは|{私/わたし}です。
これで|{全部/ぜんぶ}|そろったな。
だって、|{怖/こわ}かったんだもん。
ロボットだって|{泣/な}くことが|あるのさ。
{船/ふね}が|{出/で}るぞー！
{山/やま}の|{向/む}こうに|{何/なに}が|あると|{思/おも}う？
{雨/あめ}、|{止/や}みそうにないね。
さあ、|{冒険/ぼうけん}の|{始/はじ}まりだ！
{宿題/しゅくだい}は|もう|{終/お}わったの？
チョコレートを|{半分/はんぶん}こ|しようよ。
あいつ、|{本気/ほんき}で|{怒/おこ}ってたな……
{静/しず}かに！|{足音/あしおと}が|{聞/き}こえる。
{勝負/しょうぶ}は|まだ|ついていない！
{鍵/かぎ}を|どこに|{置/お}いたっけ？
お{茶/ちゃ}が|{入/はい}りましたよ。
{昨日/きのう}の|{試合/しあい}、|すごかったな！
ずいぶん|{遠/とお}くまで|{来/き}ちゃったね。
{信/しん}じるか|{信/しん}じないかは、|きみに|まかせるよ。
そんなに|{急/いそ}いで、|どこへ|{行/い}くんだい？
{図書館/としょかん}では|{静/しず}かに|してください。
{魔法/まほう}なんて、|{最初/さいしょ}から|なかったんだ。
ニャーと|{鳴/な}いて、|{塀/へい}を|{越/こ}えていった。
{今夜/こんや}は|{月/つき}が|{明/あか}るいね。
{夏休/なつやす}みに|なったら、|また|ここで|{会/あ}おう。
{兄/にい}さんは|いつも|そうだ！
カメラを|{貸/か}してくれて、|ありがとう。
{誰/だれ}にも|{言/い}わないって|{約束/やくそく}して。
{心配/しんぱい}しなくても、|ちゃんと|{帰/かえ}ってくるよ。
{地図/ちず}に|ない|{島/しま}を|{見/み}つけたんだ！
ジュースは|{一日/いちにち}|{一本/いっぽん}までよ！
おかしいな、|{道/みち}を|{間違/まちが}えたかな。
{次/つぎ}の|バスまで|{三十分/さんじゅっぷん}も|あるよ。
いらっしゃいませ！|{何/なに}に|なさいますか？
「{星/ほし}の|{庭/にわ}」という|{店/みせ}を|ご{存/ぞん}じですか。
{隊長/たいちょう}、|{西/にし}の|{門/もん}が|{破/やぶ}られました！
ふざけるな！|{仲間/なかま}を|{置/お}いて|{行/い}けるかよ。
{風邪/かぜ}ひくよ、|{傘/かさ}に|{入/はい}りなよ。
{答/こた}えは|とっくに|{出/で}ているさ。
なるほど、|そういうことだったのか。
{明日/あした}|{晴/は}れたら、|{弁当/べんとう}を|{持/も}って|{公園/こうえん}へ|{行/い}こう。
{久/ひさ}しぶりだな、|{元気/げんき}だったか？
うちの|{畑/はたけ}の|トマト、|{甘/あま}いでしょう？
キャプテン、|レーダーに|{反応/はんのう}が|あります！
{私/わたし}、|{変/か}わりたいの。|このままじゃ|いやなのよ。
{来年/らいねん}の|{春/はる}も、|この|{桜/さくら}を|{一緒/いっしょ}に|{見/み}られるかな。
{負/ま}けたくない……|{絶対/ぜったい}に|{負/ま}けたくない！
あのさ、|ちょっと|{聞/き}いてほしいことが|あるんだけど。
{二度/にど}と|{同/おな}じ|{失敗/しっぱい}は|しないと|{決/き}めたんです。
"""

SIGNS = """
{本日休業/ほんじつきゅうぎょう}
{立入禁止/たちいりきんし}
いらっしゃいませ
ラーメン{一番/いちばん}
{夕日商店街/ゆうひしょうてんがい}
コーヒー{店/てん}
"""

CAPTIONS = """
そのころ、|{港/みなと}では……
{翌朝/よくあさ}、|{山/やま}の|ふもとの|{村/むら}。
{三年後/さんねんご}の|{夏/なつ}
{放課後/ほうかご}の|{教室/きょうしつ}にて
それは|{静/しず}かな|{夜/よる}の|ことだった。
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# The grammar: who, when, where, what is done and how the sentence ends.
WHO = _words("""
{僕/ぼく}は {私/わたし}は あの{人/ひと}が うちの{犬/いぬ}が {父/とう}さんが {母/かあ}さんは
{友達/ともだち}が {妹/いもうと}が {先輩/せんぱい}が {店長/てんちょう}は となりの{子/こ}が {博士/はかせ}は
{王様/おうさま}が {旅人/たびびと}は みんなで きょうだいで {少年/しょうねん}は {少女/しょうじょ}が
リーダーは キャプテンが
""")
WHEN = _words("""
{今朝/けさ}、 {昨日/きのう}、 ずっと{前/まえ}に ついさっき {毎晩/まいばん} {日曜日/にちようび}に
{夜中/よなか}に きっと もうすぐ {今度/こんど}は {突然/とつぜん}、 ようやく また いつか ひょっとして
""")
WHERE = _words("""
{川/かわ}の{近/ちか}くで {森/もり}の{奥/おく}で {屋上/おくじょう}で {台所/だいどころ}で
{東京/とうきょう}で {神社/じんじゃ}で {橋/はし}の{下/した}で {教室/きょうしつ}で スーパーの{前/まえ}で
ビルの{上/うえ}で プールで {空港/くうこう}で {古/ふる}い{家/いえ}で {洞窟/どうくつ}で {病院/びょういん}で
ベッドの{下/した}で
""")
WHAT = _words("""
{光/ひか}る{石/いし}を {大/おお}きな{魚/さかな}を {変/へん}な{音/おと}を {写真/しゃしん}を
{赤/あか}い{傘/かさ}を {宝物/たからもの}を ボールを チケットを ラーメンを {白/しろ}い{鳥/とり}を
{切符/きっぷ}を {不思議/ふしぎ}な{絵/え}を ケーキを ギターを {剣/けん}を {弁当/べんとう}を きゅうりを
ノートを
""")
DONE = _words("""
{見/み}つけた {拾/ひろ}った {探/さが}していた {見/み}た {落/お}とした {買/か}った {忘/わす}れた
{隠/かく}していた {食/た}べちゃった {失/な}くした {持/も}っていた {守/まも}っていた {投/な}げた
{待/ま}っていた
""")
END = _words("""
よ。 ぞ！ の？ んだ。 のか？ らしい。 んだって！ みたいだ。 よね？ のよ。 のさ。 って…… のに、 んだー！
の！？
""")
OPEN = _words("""
えっ、 ねえ、 でも、 だから、 もしかして、 そういえば、 まあ、 あのね、 ちょっと、 いや、 おい、 ほら、
へえー、 わあっ！ ふっ……
""")


def _rows(text: str) -> tuple[Phrase, ...]:
    return tuple(parse(row) for row in text.strip().splitlines())


_SHORT, _SENTENCES, _SIGNS, _CAPTIONS = map(_rows, (SHORT, SENTENCES, SIGNS, CAPTIONS))


def _made(rng: random.Random) -> Phrase:
    """One sentence of the grammar."""
    parts = []
    if rng.random() < 0.45:
        parts.append(rng.choice(OPEN))
    if rng.random() < 0.5:
        parts.append(rng.choice(WHEN))
    if rng.random() < 0.7:
        parts.append(rng.choice(WHO))
    if rng.random() < 0.5:
        parts.append(rng.choice(WHERE))
    parts.append(rng.choice(WHAT))
    done, end = rng.choice(DONE), rng.choice(END)
    return parse("|".join([*parts, done, end]))


def phrase(rng: random.Random, longest: int = 40) -> Phrase:
    """A line of dialogue of at most ``longest`` characters."""
    while True:
        kind = rng.random()
        if kind < 0.2:
            found = rng.choice(_SHORT)
        elif kind < 0.5:
            found = rng.choice(_SENTENCES)
        else:
            found = _made(rng)
            if rng.random() < 0.12:
                found = (*found, Token(""), *rng.choice(_SHORT))
        found = tuple(token for token in found if token.text)
        if len(plain(found)) <= longest:
            return found


def with_reading(rng: random.Random, longest: int = 40) -> Phrase:
    """A line of dialogue with at least one word that has a reading."""
    while True:
        found = phrase(rng, longest)
        if any(token.reading for token in found):
            return found


def sign(rng: random.Random) -> Phrase:
    """The words of a shop sign or notice."""
    return rng.choice(_SIGNS)


def caption(rng: random.Random) -> Phrase:
    """A narrator's line."""
    return rng.choice(_CAPTIONS)
