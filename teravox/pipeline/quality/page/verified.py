"""The section of what `teravox verify` has found."""

from __future__ import annotations

from teravox.pipeline.quality.measure import Quality
from teravox.pipeline.quality.page.markup import Markup, Words, element, remarks, section, table

SHOWN = 50  # findings


def draw_verified(seen: Quality) -> Markup:
    verified = seen.verified
    if verified is None:
        lead = "Whether everything is there and sound."
        return section("verified", "Verification", lead, remarks(["It was not verified: --verify does that."]))
    lead = (
        "Whether everything is there and sound, as teravox verify looks at it: all by listing, and a sample of "
        f"everything (seed {seen.seed}) decoded."
    )
    looked = "; ".join(f"{number:,} {what}" for what, number in verified.counts.items())
    inside: list[Words] = [element("p", f"Looked at: {looked or 'nothing'}.")]
    found = sum(verified.found.values())
    if not found:
        inside.append(element("p", "Nothing is wrong with it.", class_="good"))
        return section("verified", "Verification", lead, *inside)
    by_word = ", ".join(f"{number:,} {what}" for what, number in verified.found.items())
    inside.append(element("p", f"Wrong: {by_word}.", class_="bad"))
    shown = verified.findings[:SHOWN]
    rows = [
        (
            finding.what,
            element("code", finding.key),
            finding.sentence,
            "unknown" if finding.task is None else finding.task.kind,
        )
        for finding in shown
    ]
    caption = "What is wrong" + (f", the first {len(shown):,}" if found > len(shown) else "")
    inside.append(table(caption, ("what", "object", "finding", "made by"), rows))
    return section("verified", "Verification", lead, *inside)
