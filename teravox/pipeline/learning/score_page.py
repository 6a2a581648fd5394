"""How good a classifier is, as one page: tables of figures, and curves as pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from teravox import __version__
from teravox.kernels.learning.classes import Class
from teravox.pipeline.learning.scoring import Scores
from teravox.pipeline.quality.page.frame import frame_page
from teravox.pipeline.quality.page.markup import Markup, Words, element, figure, join, section, table, words

if TYPE_CHECKING:
    from teravox.kernels.learning.scores import Curve

SIDE, LEFT, BOTTOM, AROUND = 300, 44, 40, 12  # of a plot
MARK = "display:inline-block;width:12px;height:12px;border-radius:3px"
MOST_POINTS = 600  # of a curve; more could not be seen


def draw_scores(scores: Scores) -> bytes:
    """One file of HTML with its pictures in it."""
    body = join(
        [
            element(
                "header",
                element("h1", f"How well {scores.labels} can be told"),
                _cards(scores),
                element("p", f"Image {scores.image}. Made by teravox {__version__}."),
            ),
            element("main", _confusion(scores), _classes(scores), _curves(scores)),
        ],
        "\n",
    )
    return frame_page(f"Evaluation of {scores.labels}", body)


def _cards(scores: Scores) -> Markup:
    facts = [
        ("labels tested", f"{sum(scores.samples):,}"),
        ("accuracy", _share(scores.accuracy)),
        ("mean over classes", _share(scores.balanced_accuracy)),
    ]
    return element(
        "dl", *(element("div", element("dt", name), element("dd", said)) for name, said in facts), class_="cards"
    )


def _confusion(scores: Scores) -> Markup:
    names = [one.name for one in scores.classes]
    rows = [
        [name, *(_cell(number, sum(line)) for number in line)]
        for name, line in zip(names, scores.confusion.tolist(), strict=True)
    ]
    made = table("Labels by their class, and by the class that they were taken for", ["", *names], rows, names)
    return section("confusion", "Confusion matrix", scores.how, made)


def _cell(number: int, whole: int) -> str:
    return f"{number:,} ({_share(number / whole if whole else None)})"


def _classes(scores: Scores) -> Markup:
    heads = ["class", "labels", "precision", "recall", "F", "area under the ROC curve", "average precision"]
    rows = [
        [one.name, f"{number:,}", *map(_figure, score)]
        for one, number, score in zip(scores.classes, scores.samples, scores.by_class, strict=True)
    ]
    lead = (
        "Precision is the share of what was taken for a class that is of it; recall is the share of the class that was "
        "found; F is their harmonic mean."
    )
    return section("classes", "Classes", lead, table("Each class against all others", heads, rows, heads[1:]))


def _curves(scores: Scores) -> Markup:
    from teravox.kernels.learning.scores import precision_recall_curve, roc_curve

    known = [(one, counts) for one, counts in zip(scores.classes, scores.counts, strict=True) if counts.positives]
    roc = [(one, roc_curve(counts)) for one, counts in known if counts.negatives]
    precision = [(one, precision_recall_curve(counts)) for one, counts in known]
    return section(
        "curves",
        "Curves",
        "What could be had with any other threshold of the probability of a class.",
        element("p", join(_legend(scores.classes), " ")),
        element(
            "div",
            figure(
                _plot(roc, "taken for it though of another", "found"),
                "ROC curves: the nearer to the upper left, the better.",
            ),
            figure(
                _plot(precision, "found (recall)", "precision"),
                "Precision and recall: the nearer to the upper right, the better.",
            ),
            style="display:flex;flex-wrap:wrap;gap:24px",
        ),
    )


def _legend(classes: Iterable[Class]) -> Iterator[Markup]:
    for one in classes:
        mark = element("span", style=f"{MARK};background:{one.color}", aria_hidden="true")
        yield element("span", mark, f" {one.name}", style="margin-right:14px;white-space:nowrap")


def _plot(curves: Sequence[tuple[Class, Curve]], across: str, up: str) -> Markup:
    """Curves in a square from 0 to 1."""
    width, height = LEFT + SIDE + AROUND, AROUND + SIDE + BOTTOM
    ground = AROUND + SIDE
    parts = [Markup(f'<rect class="frame" x="{LEFT}" y="{AROUND}" width="{SIDE}" height="{SIDE}" fill="none"/>')]
    for tick in (0.0, 0.5, 1.0):
        x, y = LEFT + tick * SIDE, ground - tick * SIDE
        parts.append(Markup(f'<line class="grid" x1="{x}" x2="{x}" y1="{AROUND}" y2="{ground}"/>'))
        parts.append(Markup(f'<line class="grid" x1="{LEFT}" x2="{LEFT + SIDE}" y1="{y}" y2="{y}"/>'))
        parts.append(_text(x, ground + 16, f"{tick:g}", "middle"))
        parts.append(_text(LEFT - 6, y + 4, f"{tick:g}", "end"))
    parts.append(_text(LEFT + SIDE / 2, height - 6, across, "middle"))
    parts.append(
        Markup(
            f'<text class="tick" text-anchor="middle" transform="translate(12 {AROUND + SIDE / 2}) rotate(-90)">{words(up)}</text>'
        )
    )
    for one, curve in curves:
        points = " ".join(f"{LEFT + x * SIDE:.1f},{ground - y * SIDE:.1f}" for x, y in _thinned(curve))
        parts.append(
            Markup(
                f'<polyline points="{points}" fill="none" stroke="{words(one.color)}" stroke-width="2">'
                f"{element('title', one.name)}</polyline>"
            )
        )
    said = f"{up} by {across}, a curve for each class"
    return Markup(
        f'<svg viewBox="0 0 {width} {height}" style="width:{width}px;max-width:100%" role="img" aria-label="{words(said)}">'
        f"{join(parts)}</svg>"
    )


def _thinned(curve: Curve) -> Iterator[tuple[float, float]]:
    """Some points of a curve, its ends among them."""
    every = max(1, len(curve.x) // MOST_POINTS)
    places = [*range(0, len(curve.x), every), len(curve.x) - 1]
    yield from ((float(curve.x[at]), float(curve.y[at])) for at in places)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup(f'<text class="tick" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words(text)}</text>')


def _share(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def _figure(value: float | None) -> Words:
    return "none" if value is None else f"{value:.4f}"
