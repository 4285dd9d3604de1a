using SkiaSharp;

namespace MLNet.PQCompression.Images.Drawing;

/// <summary>Writes names at boxes, each where it covers no other name, if there is such a place.</summary>
internal sealed class LabelTags(SKCanvas canvas, int width, int height, float textSize, SKTypeface? font)
{
    private readonly List<SKRect> _taken = [];

    /// <summary>Writes a name above a box; else inside it at its top, below it, or inside it at its bottom; at the left, else at the right.</summary>
    public void Draw(string text, SKRect box, SKColor colour)
    {
        using var paint = new SKPaint { Typeface = font, TextSize = textSize, IsAntialias = true, Color = LabelColours.On(colour) };
        float padding = textSize / 4, tall = textSize + (2 * padding);
        float wide = (font is null ? SegmentDigits.Measure(text, 0.75f * textSize) : paint.MeasureText(text)) + (2 * padding);
        float[] lefts = [.. new[] { box.Left, box.Right - wide }.Select(x => Math.Clamp(x, 0, Math.Max(0, width - wide)))];
        float[] tops = [.. new[] { box.Top - tall, box.Top, box.Bottom, box.Bottom - tall }.Where(y => y >= 0 && y + tall <= height)];
        SKRect[] places = [.. lefts.SelectMany(x => tops, (x, y) => SKRect.Create(x, y, wide, tall)), SKRect.Create(lefts[0], Math.Clamp(box.Top, 0, Math.Max(0, height - tall)), wide, tall)];
        SKRect place = places.FirstOrDefault(p => !_taken.Exists(t => t.IntersectsWith(p)), places[0]);
        _taken.Add(place);
        using var ground = new SKPaint { Color = colour, IsAntialias = true };
        canvas.DrawRoundRect(place, padding / 2, padding / 2, ground);
        if (font is null)
            SegmentDigits.Draw(canvas, text, place.Left + padding, place.Bottom - (1.6f * padding), 0.75f * textSize, paint.Color);
        else
            canvas.DrawText(text, place.Left + padding, place.Bottom - padding - (0.14f * textSize), paint);
    }
}
