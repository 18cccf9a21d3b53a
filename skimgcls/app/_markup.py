"""Parts of the page as HTML. All text from files and models is escaped.

Streamlit's Markdown would interpret stars, dollars and colons in file and class names.
"""

import html
from collections.abc import Iterable, Mapping, Sequence

from skimgcls.app._model import ServedModel
from skimgcls.app._predict import Answer
from skimgcls.app._verdict import Verdict, judge, rank

# Maximum number of bars for a single image. All classes are in a table below.
_N_BARS = 8

STYLE = """<style>
.stMainBlockContainer, .block-container {max-width: 62rem; padding-top: 2.5rem;}
.sk h1 {font-size: 1.9rem; font-weight: 650; margin: 0; padding: 0; overflow-wrap: anywhere;}
.sk p {margin: .15rem 0 0 0;}
.sk .soft, .sk figcaption {opacity: .68; font-size: .875rem;}
.sk .verdict {font-size: 1.75rem; font-weight: 650; line-height: 1.25; overflow-wrap: anywhere;}
.sk .verdict .share {font-weight: 400; opacity: .68; white-space: nowrap;}
.sk-pictures {display: flex; flex-wrap: wrap; gap: 1rem;}
.sk-pictures figure {margin: 0; min-width: 0; max-width: 100%;}
.sk-pictures img {height: 17rem; max-width: 100%; object-fit: contain; border-radius: .5rem;
  display: block;}
.sk-pictures img.tiny {image-rendering: pixelated;}
.sk-pictures figcaption {max-width: 24rem; overflow-wrap: anywhere;}
.sk-bar {display: grid; grid-template-columns: minmax(3.5rem, 22%) 1fr 4.25rem; gap: .75rem;
  align-items: center; margin: .4rem 0;}
.sk-bar .name {overflow-wrap: anywhere; line-height: 1.2;}
.sk-bar .track {position: relative; height: .85rem; border-radius: .425rem;
  background: rgba(128, 128, 128, .16);}
.sk-bar .fill {position: absolute; inset: 0 auto 0 0; border-radius: .425rem;
  background: #2f6db5;}
.sk-bar .half {position: absolute; left: 50%; top: -.2rem; bottom: -.2rem; width: 2px;
  background: currentColor; opacity: .45;}
.sk-bar .share {text-align: right; font-variant-numeric: tabular-nums;}
.sk-bar.yes .name, .sk-bar.yes .share {font-weight: 650;}
.sk-scroll {overflow-x: auto;}
.sk table {border-collapse: collapse; width: 100%; font-size: .925rem;}
.sk th, .sk td {text-align: left; padding: .4rem .75rem .4rem 0; vertical-align: middle;
  border: 0; border-bottom: 1px solid rgba(128, 128, 128, .22); overflow-wrap: anywhere;}
.sk th {font-weight: 500; opacity: .68; white-space: nowrap;}
.sk td.number, .sk th.number {text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap;}
.sk td.thumb {width: 60px;}
.sk td.thumb img {max-width: 48px; max-height: 48px; border-radius: .25rem; display: block;}
.sk .error {color: #c0392b;}
.sk pre {white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; margin: 0;
  background: none; padding: 0; border: 0;}
.sk .facts td:first-child {width: 12rem; opacity: .68;}
.sk img.curves {width: 100%; max-width: 56rem; margin-top: .75rem; border-radius: .5rem;}
.sk h2 {font-size: 1.1rem; font-weight: 650; margin: 1.1rem 0 .3rem 0; padding: 0;}
</style>"""


def escape(text: object) -> str:
    """Return text escaped for HTML."""
    return html.escape(str(text), quote=True)


def as_share(share: float) -> str:
    """Return a probability in percent as text. Only exactly 1 is shown as 100 %.

    >>> as_share(0.5), as_share(0.99999), as_share(0.00001)
    ('50.0 %', '> 99.9 %', '< 0.1 %')
    """
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    return "< 0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"


def make_header(title: str, model: ServedModel) -> str:
    """Return the header of the page."""
    n = len(model.classes)
    what = f"which of {n} labels it has" if model.multilabel else f"one of {n} classes"
    return (
        f'<div class="sk"><h1>{escape(title)}</h1><p class="soft">Drop an image: the model '
        f"predicts {what}, and shows its confidence.</p></div>"
    )


def make_verdict(model: ServedModel, verdict: Verdict) -> str:
    """Return the result in large letters."""
    share = escape(as_share(verdict.confidence))
    if verdict.rejected:
        said = f"low confidence: {share}"
    elif model.multilabel:
        said = f"lowest confidence of a label: {share}"
    else:
        said = share
    return (
        f'<div class="sk"><p class="verdict">{escape(verdict.word)} '
        f'<span class="share">{said}</span></p></div>'
    )


def make_figure(address: str, alt: str, caption: str, *, tiny: bool = False) -> str:
    """Return an image, given by its data URL, with a caption."""
    kind = ' class="tiny"' if tiny else ""
    return (
        f'<figure><img src="{escape(address)}" alt="{escape(alt)}"{kind}>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def make_pictures(figures: Iterable[str]) -> str:
    """Return figures next to each other, or below each other on a narrow page."""
    return f'<div class="sk sk-pictures">{"".join(figures)}</div>'


def make_bars(model: ServedModel, one: Answer) -> str:
    """Return bars of the most probable classes, with a mark at 0.5 for multilabel targets."""
    ranked = rank(model, one.proba)[:_N_BARS]
    half = '<span class="half"></span>' if model.multilabel else ""
    bars = [
        f'<div class="sk-bar{" yes" if model.multilabel and share > 0.5 else ""}" role="listitem">'
        f'<span class="name">{escape(name)}</span><span class="track">'
        f'<span class="fill" style="width: {100 * share:.2f}%"></span>{half}</span>'
        f'<span class="share">{escape(as_share(share))}</span></div>'
        for name, share in ranked
    ]
    return f'<div class="sk" role="list">{"".join(bars)}</div>'


def make_table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int]) -> str:
    """Return a table of HTML cells. The columns in `numbers` are right-aligned."""

    def line(tag: str, cells: Sequence[str]) -> str:
        kinds = [' class="number"' if i in numbers else "" for i in range(len(cells))]
        return "".join(
            cell if cell.startswith("<td") else f"<{tag}{kind}>{cell}</{tag}>"
            for kind, cell in zip(kinds, cells, strict=True)
        )

    body = "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return (
        f'<div class="sk sk-scroll"><table><thead><tr>{line("th", head)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def make_class_table(model: ServedModel, one: Answer) -> str:
    """Return all classes with their probabilities."""
    rows = [(escape(name), f"{share:.4f}") for name, share in rank(model, one.proba)]
    return make_table(("Class", "Probability"), rows, numbers=(1,))


def make_batch_table(model: ServedModel, answers: Sequence[Answer], at_least: float) -> str:
    """Return a row for each file, with its error if it could not be read.

    With few classes all probabilities are shown. With many they are only in the CSV file.
    """
    shown = model.classes if len(model.classes) <= _N_BARS else []
    head = ["", "File", "Prediction", "Confidence", *map(escape, shown)]
    failed = any(one.proba is None for one in answers)
    rows = []
    for one in answers:
        if one.proba is None:
            error = f'<span class="error">{escape(one.error)}</span>'
            cells = [_THUMB.format(""), escape(one.name), "", "", *[""] * len(shown), error]
        else:
            verdict = judge(model, one.proba, at_least)
            picture = _THUMB.format(f'<img src="{escape(one.thumbnail)}" alt="">')
            shares = [escape(as_share(share)) for share in (verdict.confidence, *one.proba)]
            words = [picture, escape(one.name), escape(verdict.word)]
            cells = [*words, *shares[: 1 + len(shown)], ""]
        rows.append(cells if failed else cells[:-1])
    numbers = range(3, 4 + len(shown))
    return make_table([*head, "Error"] if failed else head, rows, numbers)


_THUMB = '<td class="thumb">{}</td>'


def make_facts(facts: Mapping[str, str]) -> str:
    """Return a table of names and values."""
    lines = [f"<tr><td>{escape(name)}</td><td>{escape(v)}</td></tr>" for name, v in facts.items()]
    return f'<table class="facts"><tbody>{"".join(lines)}</tbody></table>' if lines else ""


def make_error(one: Answer) -> str:
    """Return the error of a single file."""
    return (
        f'<div class="sk"><p class="error"><strong>{escape(one.name)}</strong> could not be read. '
        f"{escape(one.error)}</p></div>"
    )
