using System.Globalization;
using MLNet.PQCompression.Detectors;
using SkiaSharp;

namespace MLNet.PQCompression.Images.Drawing;

/// <summary>A picture with detections drawn on it, as a file's bytes.</summary>
/// <param name="File">A PNG or JPEG file.</param>
/// <param name="Legend">What the numbers on the boxes mean, a line each, where the system has no font to write names with; else empty.</param>
public sealed record DrawnPicture(byte[] File, IReadOnlyList<string> Legend);

/// <summary>Draws detections on pictures: a box with name and score for each, and its mask where it has one.</summary>
public static class DetectionDrawing
{
    private const int JpegQuality = 92, LeastLongSide = 640, MostEnlarged = 6;
    private const byte MaskAlpha = 110;

    /// <summary>Draws. A small picture is enlarged by a whole factor, so that names can be read.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="detections">What was found in it.</param>
    /// <param name="labels">The names of the labels.</param>
    /// <param name="asJpeg">Whether a JPEG file is wanted and no PNG file.</param>
    public static DrawnPicture Draw(RgbImage picture, IReadOnlyList<Detection> detections, DetectionLabels labels, bool asJpeg = false) =>
        Draw(picture, detections, labels, asJpeg, LabelFont.Typeface);

    internal static DrawnPicture Draw(RgbImage picture, IReadOnlyList<Detection> detections, DetectionLabels labels, bool asJpeg, SKTypeface? font)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(detections);
        ArgumentNullException.ThrowIfNull(labels);
        int factor = Math.Clamp(LeastLongSide / Math.Max(picture.Width, picture.Height), 1, MostEnlarged);
        using SKBitmap bitmap = SkiaBitmap.Of(ImageResizer.Resize(picture, picture.Width * factor, picture.Height * factor));
        using var canvas = new SKCanvas(bitmap);
        // The surest lie on top.
        Detection[] order = [.. detections.OrderBy(d => d.Score)];
        foreach (Detection detection in order)
            if (detection.Mask is { } mask)
                DrawMask(canvas, mask, factor, LabelColours.Of(detection.Label));
        float stroke = Math.Max(2, Math.Max(bitmap.Width, bitmap.Height) / 320f);
        foreach (Detection detection in order)
            DrawBox(canvas, detection.Box, factor, stroke, LabelColours.Of(detection.Label));
        var tags = new LabelTags(canvas, bitmap.Width, bitmap.Height, 6.5f * stroke, font);
        var legend = new List<string>();
        foreach ((int i, Detection detection) in order.Reverse().Index())
        {
            string text = string.Create(CultureInfo.InvariantCulture, $"{labels[detection.Label]} {100 * detection.Score:0}%");
            if (font is null)
                legend.Add(string.Create(CultureInfo.InvariantCulture, $"{i + 1}: {text}"));
            DetectionBox box = detection.Box;
            tags.Draw(font is null ? (i + 1).ToString(CultureInfo.InvariantCulture) : text,
                new((float)box.Left * factor, (float)box.Top * factor, (float)box.Right * factor, (float)box.Bottom * factor), LabelColours.Of(detection.Label));
        }
        canvas.Flush();
        using SKData data = bitmap.Encode(asJpeg ? SKEncodedImageFormat.Jpeg : SKEncodedImageFormat.Png, JpegQuality);
        return new(data.ToArray(), legend);
    }

    private static void DrawMask(SKCanvas canvas, RunLengthMask mask, int factor, SKColor colour)
    {
        using SKPath path = new(), outline = new();
        using var paint = new SKPaint { Color = colour.WithAlpha(MaskAlpha) };
        long at = 0;
        for (int i = 0; i < mask.Counts.Length; at += mask.Counts[i++])
            for (long from = at, end = at + mask.Counts[i]; i % 2 == 1 && from < end;)
            {
                // A run goes down a column and on at the top of the next one.
                (long x, long y) = Math.DivRem(from, mask.Height);
                long length = Math.Min(end - from, mask.Height - y);
                path.AddRect(SKRect.Create(x * factor, y * factor, factor, length * factor));
                from += length;
            }
        canvas.DrawPath(path, paint);
        if (!path.Simplify(outline))
            return;
        (paint.Color, paint.Style, paint.StrokeWidth) = (colour, SKPaintStyle.Stroke, 1.5f);
        canvas.DrawPath(outline, paint);
    }

    private static void DrawBox(SKCanvas canvas, DetectionBox box, int factor, float stroke, SKColor colour)
    {
        var rectangle = new SKRect((float)box.Left * factor, (float)box.Top * factor, (float)box.Right * factor, (float)box.Bottom * factor);
        using var paint = new SKPaint { Color = SKColors.Black.WithAlpha(90), Style = SKPaintStyle.Stroke, StrokeWidth = stroke * 1.8f, IsAntialias = true };
        canvas.DrawRect(rectangle, paint);
        (paint.Color, paint.StrokeWidth) = (colour, stroke);
        canvas.DrawRect(rectangle, paint);
    }
}
