using SkiaSharp;

namespace MLNet.PQCompression.Images.Drawing;

/// <summary>Numbers of seven strokes each, for systems without a font.</summary>
internal static class SegmentDigits
{
    private const float Width = 0.5f, Gap = 0.25f, Stroke = 0.12f;

    /// <summary>The strokes of each digit, as bits: top, upper left, upper right, middle, lower left, lower right, bottom.</summary>
    private static readonly int[] Strokes = [0b1110111, 0b0010010, 0b1011101, 0b1011011, 0b0111010, 0b1101011, 0b1101111, 0b1010010, 0b1111111, 0b1111011];

    private static readonly (float X0, float Y0, float X1, float Y1)[] Lines =
        [(0, 0, 1, 0), (0, 0, 0, 0.5f), (1, 0, 1, 0.5f), (0, 0.5f, 1, 0.5f), (0, 0.5f, 0, 1), (1, 0.5f, 1, 1), (0, 1, 1, 1)];

    /// <summary>The width of a number of so many pixels of height.</summary>
    public static float Measure(string number, float height) => ((number.Length * (Width + Gap)) - Gap) * height;

    /// <summary>Draws a number.</summary>
    /// <param name="canvas">Where to.</param>
    /// <param name="number">Digits.</param>
    /// <param name="left">Its left edge.</param>
    /// <param name="bottom">Its lower edge.</param>
    /// <param name="height">Its height.</param>
    /// <param name="colour">Its colour.</param>
    public static void Draw(SKCanvas canvas, string number, float left, float bottom, float height, SKColor colour)
    {
        using var paint = new SKPaint { Color = colour, StrokeWidth = Stroke * height, StrokeCap = SKStrokeCap.Square, IsAntialias = true };
        foreach (char digit in number)
        {
            for (int i = 0; i < Lines.Length; i++)
                if ((Strokes[digit - '0'] >> (Lines.Length - 1 - i) & 1) == 1)
                    canvas.DrawLine(left + (Lines[i].X0 * Width * height), bottom - ((1 - Lines[i].Y0) * height), left + (Lines[i].X1 * Width * height), bottom - ((1 - Lines[i].Y1) * height), paint);
            left += (Width + Gap) * height;
        }
    }
}
