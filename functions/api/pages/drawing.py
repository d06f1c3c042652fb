"""Draws the share card: headline, totals, and how the sides fared. Pillow's own font has all letters that EVE's names have."""

import io
from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw
from PIL.ImageFont import FreeTypeFont, load_default

from api.models.battles import Battle
from api.pages import words
from api.pages.headlines import headline, leader_names
from api.queries.leaders import Leader

WIDTH, HEIGHT = 1200, 630

_MARGIN = 64
_SIDES_MAX = 3
_BACKGROUND, _RAISED, _LINE = "#0d1117", "#161c26", "#2b3442"
_TEXT, _MUTED, _LOST = "#eef2f7", "#9aa7b8", "#ff7b72"
_SIDES = ("#5aa9ff", "#ffb454", "#5ed69a")
_TITLE_SIZES = (72, 60, 50, 42)
_TITLE_LINES = 2
_NAME_LETTERS_MAX = 200


def draw_card(battle: Battle, leaders: Sequence[Leader]) -> bytes:
    """A PNG."""
    image = Image.new("RGB", (WIDTH, HEIGHT), _BACKGROUND)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, 10), fill=_SIDES[0])
    draw.rectangle((WIDTH // 2, 0, WIDTH, 10), fill=_SIDES[1])
    draw.text((_MARGIN, 52), "BattleScope", font=_font(30), fill=_MUTED)
    draw.text((WIDTH - _MARGIN, 52), _when_and_where(battle), font=_font(30), fill=_MUTED, anchor="ra")
    y = _draw_title(draw, headline(leader_names(leaders), battle))
    draw.text((_MARGIN, y + 14), _totals(battle), font=_font(36), fill=_LOST)
    shown = leaders[:_SIDES_MAX]
    for place, leader in enumerate(shown):
        _draw_side(draw, leader, HEIGHT - 52 - (len(shown) - place) * 88)
    out = io.BytesIO()
    # A palette makes it a third as large; this method of finding one takes a third of the default's time.
    image.quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG")
    return out.getvalue()


def _when_and_where(battle: Battle) -> str:
    system = battle["system"]
    region = f"{system['region']['name']} · " if system["region"] else ""
    start = battle["start_time"]
    return f"{region}{words.day(start)} {words.clock(start)} EVE"


def _totals(battle: Battle) -> str:
    worth = battle["total_isk_destroyed"]
    parts = [
        words.counted(battle["losses"], "loss", "losses"),
        *([f"{words.isk(worth)} ISK"] if worth else []),
        words.counted(battle["pilots"], "pilot"),
    ]
    return "  ·  ".join(parts)


def _draw_title(draw: ImageDraw.ImageDraw, text: str) -> float:
    """The headline as large as it fits; where it ends."""
    for size in _TITLE_SIZES:
        lines = _wrapped(draw, text, _font(size))
        if len(lines) <= _TITLE_LINES:
            break
    for line_number, line in enumerate(lines[:_TITLE_LINES]):
        position = (_MARGIN, 116 + line_number * size * 1.2)
        draw.text(position, line, font=_font(size), fill=_TEXT, stroke_width=1, stroke_fill=_TEXT)
    return 116 + min(len(lines), _TITLE_LINES) * size * 1.2


def _draw_side(draw: ImageDraw.ImageDraw, leader: Leader, y: float) -> None:
    colour = _SIDES[(leader.side_id - 1) % len(_SIDES)]
    right = WIDTH - _MARGIN
    draw.rounded_rectangle((_MARGIN, y, right, y + 76), radius=10, fill=_RAISED, outline=_LINE)
    draw.rounded_rectangle((_MARGIN, y, _MARGIN + 10, y + 76), radius=5, fill=colour)
    more = f" +{leader.others}" if leader.others else ""
    told = f"{words.isk(leader.isk_lost)} lost  ·  {words.counted(leader.pilots, 'pilot')}"
    told_from = right - 190 - draw.textlength(told, font=_font(28))
    name = _shortened(draw, leader.affiliation["name"], more, _font(32), told_from - _MARGIN - 60)
    draw.text((_MARGIN + 32, y + 38), name, font=_font(32), fill=_TEXT, anchor="lm")
    draw.text((right - 190, y + 38), told, font=_font(28), fill=_MUTED, anchor="rm")
    draw.text(
        (right - 84, y + 38), words.percent(leader.efficiency), font=_font(34), fill=colour, anchor="rm"
    )
    if leader.efficiency is not None:
        track = (right - 72, y + 32, right - 20, y + 44)
        draw.rectangle(track, fill=_LINE)
        draw.rectangle((track[0], track[1], track[0] + 52 * leader.efficiency, track[3]), fill=colour)


def _wrapped(draw: ImageDraw.ImageDraw, text: str, font: FreeTypeFont) -> list[str]:
    """Lines that fit; of two, as even as they go, so that no word is left alone."""
    words_left, lines = text.split(), [""]
    for word in words_left:
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or draw.textlength(longer, font=font) <= WIDTH - 2 * _MARGIN:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) != _TITLE_LINES:
        return lines
    halves = [(" ".join(words_left[:cut]), " ".join(words_left[cut:])) for cut in range(1, len(words_left))]
    return list(min(halves, key=lambda pair: max(draw.textlength(half, font=font) for half in pair)))


def _shortened(draw: ImageDraw.ImageDraw, name: str, more: str, font: FreeTypeFont, width: float) -> str:
    """A name, and how many more, as far as there is room."""
    # On one line, and no longer than anything that fits: the picture's library measures no line breaks, and each try
    # takes as long as the name.
    name = " ".join(name.split())
    kept = name[:_NAME_LETTERS_MAX]
    while kept and draw.textlength(_cut(kept, name) + more, font=font) > width:
        kept = kept[:-1]
    return _cut(kept, name) + more


def _cut(kept: str, name: str) -> str:
    return kept if kept == name else f"{kept.rstrip()}…"


@cache
def _font(size: int) -> FreeTypeFont:
    font = load_default(size)
    assert isinstance(font, FreeTypeFont)  # noqa: S101 - Pillow's wheels have FreeType
    return font
