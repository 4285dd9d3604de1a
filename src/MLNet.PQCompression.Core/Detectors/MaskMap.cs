namespace MLNet.PQCompression.Detectors;

/// <summary>How surely each place of a rectangle belongs to an object.</summary>
/// <param name="Values">Height·Width values of 0 to 1, row by row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
/// <param name="Covers">The rectangle of the network's input that the map lies over: the object's box, or all of the input.</param>
public sealed record MaskMap(ReadOnlyMemory<float> Values, int Height, int Width, DetectionBox Covers)
{
    private const float Threshold = 0.5f;

    /// <summary>The pixels of a picture in which the map, interpolated between its four nearest values, is above a half. Beyond the map it is 0.</summary>
    /// <param name="placement">Where the picture lies in the network's input.</param>
    public RunLengthMask In(PicturePlacement placement)
    {
        var inside = new float[placement.Height * placement.Width];
        Sample[] rows = Samples(placement.Height, placement.ScaleY, placement.Top, Covers.Top, Covers.Bottom, Height);
        Sample[] columns = Samples(placement.Width, placement.ScaleX, placement.Left, Covers.Left, Covers.Right, Width);
        (int left, int right) = Touched(columns, Width);
        (int top, int bottom) = Touched(rows, Height);
        for (int y = top; y < bottom; y++)
            for (int x = left; x < right; x++)
                inside[(y * placement.Width) + x] = At(rows[y], columns[x]);
        return RunLengthMask.Above(inside, placement.Height, placement.Width, Threshold);
    }

    /// <summary>For the centre of each pixel of the picture the map's two nearest lines and how far it is on the way between them.</summary>
    private static Sample[] Samples(int pixels, double scale, double offset, double from, double to, int lines)
    {
        double step = lines / Math.Max(to - from, 1e-9);
        return [.. Enumerable.Range(0, pixels).Select(i =>
        {
            double at = Math.Clamp(((((i + 0.5) * scale) + offset - from) * step) - 0.5, -2, lines + 1);
            return new Sample((int)Math.Floor(at), (float)(at - Math.Floor(at)));
        })];
    }

    /// <summary>The pixels that the map reaches.</summary>
    private static (int First, int End) Touched(Sample[] samples, int lines)
    {
        int first = Array.FindIndex(samples, s => s.First >= -1 && s.First < lines);
        return first < 0 ? (0, 0) : (first, Array.FindLastIndex(samples, s => s.First >= -1 && s.First < lines) + 1);
    }

    private float At(Sample row, Sample column)
    {
        float upper = Line(row.First, column), lower = row.Share > 0 ? Line(row.First + 1, column) : 0;
        return upper + ((lower - upper) * row.Share);
    }

    private float Line(int y, Sample column)
    {
        float left = Value(y, column.First), right = column.Share > 0 ? Value(y, column.First + 1) : 0;
        return left + ((right - left) * column.Share);
    }

    private float Value(int y, int x) => (uint)y < (uint)Height && (uint)x < (uint)Width ? Values.Span[(y * Width) + x] : 0;

    private readonly record struct Sample(int First, float Share);
}
