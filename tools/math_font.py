"""Cut STIX Two Math to what formulas use, with surds that every engine sets well: `tools/math_font.py FONT.woff2`.

Engines that follow MathML Core reserve for each root the width of the widest surd that the font has, and put the
smallest one, which is 1.19 em high, under a bar just above the letter. So all surds here are the first one, drawn
shorter or taller at the same width; between the smallest and the next there is no jump that one sees.
"""

import argparse
from pathlib import Path

from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter, parse_unicodes
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parent.parent
CHARACTERS = (
    "20-7e,a0-b7,d7,f7,302-304,307,308,20d7,391-3f5,2013-2044,2057-2063,210b-2131,2190-2194,21a6,21d0-21d4,"
    "2200-22a5,22c5,22c6,22ee-22f1,2308-230b,23dc-23df,27e8,27e9,1d434-1d467,1d538-1d56b,1d49c-1d4cf,1d6a8-1d71b"
)
SURD = 0x221A
HEIGHTS = (980, 1190, 1450, 1750, 2150, 2650, 3300)  # units of 1/1000 em
STUB = 840  # above it the surd joins the bar, whose thickness it has: that part keeps its form


def cut(font):
    """Leave the characters that formulas use, with all variants that the layout tables name."""
    options = Options(layout_features=["*"], notdef_outline=True)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=parse_unicodes(CHARACTERS))
    subsetter.subset(font)


def drawn(glyphs, name, height, below, above):
    """Return a glyph's outline at another height, at the same width, from the same upper edge on."""
    recording = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(recording)
    factor = (height - (above - STUB)) / (STUB - below)

    def moved(point):
        x, y = point
        return x, above - (above - y if y >= STUB else above - STUB + (STUB - y) * factor)

    pen = TTGlyphPen(None)
    for operator, points in recording.value:
        getattr(pen, operator)(*(moved(point) for point in points))
    return pen.glyph()


def redraw_surds(font):
    """Give the surd and each of its variants the first one's form and width."""
    variants = font["MATH"].table.MathVariants
    name = font.getBestCmap()[SURD]
    place = variants.VertGlyphCoverage.glyphs.index(name)
    construction = variants.VertGlyphConstruction[place]
    glyphs = font.getGlyphSet()
    bounds = BoundsPen(glyphs)
    glyphs[name].draw(bounds)
    _, below, _, above = bounds.bounds
    old = [record.VariantGlyph for record in construction.MathGlyphVariantRecord]
    old += [part.glyph for part in construction.GlyphAssembly.PartRecords]
    if len(old) < len(HEIGHTS):
        raise ValueError(f"the font has {len(old)} glyphs for surds, {len(HEIGHTS)} are wanted")
    outlines = [drawn(glyphs, name, height, below, above) for height in HEIGHTS]
    width, bearing = font["hmtx"][name]
    records = []
    for glyph, height, outline in zip(old, HEIGHTS, outlines, strict=False):
        font["glyf"][glyph] = outline
        font["hmtx"][glyph] = (width, bearing)
        record = type(construction.MathGlyphVariantRecord[0])()
        record.VariantGlyph, record.AdvanceMeasurement = glyph, height
        records.append(record)
    construction.MathGlyphVariantRecord, construction.VariantCount = records, len(records)
    construction.GlyphAssembly = None


def main():
    """Write `_static/fonts/stix-two-math.woff2`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("font", type=Path, help="stix-two-math-latin-400-normal.woff2 of @fontsource/stix-two-math")
    parser.add_argument("--out", type=Path, default=ROOT / "_static" / "fonts" / "stix-two-math.woff2")
    arguments = parser.parse_args()
    font = TTFont(arguments.font)
    cut(font)
    redraw_surds(font)
    font.flavor = "woff2"
    font.save(arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
