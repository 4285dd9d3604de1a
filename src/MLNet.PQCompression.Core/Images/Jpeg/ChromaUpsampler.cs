namespace MLNet.PQCompression.Images.Jpeg;

/// <summary>Brings rows of a component to the size of the frame. Ratios of 2 use the triangle filter (3/4 of the nearer sample, 1/4 of
/// the farther, with alternating rounding) that libjpeg calls fancy; other ratios repeat samples, as libjpeg does.</summary>
internal sealed class ChromaUpsampler
{
    private delegate ReadOnlySpan<byte> RowReader(int y);

    private readonly JpegComponent _component;
    private readonly JpegFrame _frame;
    private readonly byte[] _row;
    private readonly int[] _sums;
    private readonly RowReader _read;

    public ChromaUpsampler(JpegComponent component, JpegFrame frame)
    {
        _component = component;
        _frame = frame;
        bool half = component.Horizontal * 2 == frame.MaxHorizontal, halfRows = component.Vertical * 2 == frame.MaxVertical;
        bool full = component.Horizontal == frame.MaxHorizontal, fullRows = component.Vertical == frame.MaxVertical;
        bool wide = component.Width > 2;
        _read = (full && fullRows) ? ReadFull
            : (half && fullRows && wide) ? ReadHalfWidth
            : (full && halfRows) ? ReadHalfHeight
            : (half && halfRows && wide) ? ReadHalfBoth
            : ReadRepeated;
        _row = full && fullRows ? [] : new byte[Math.Max(frame.Width, 2 * component.Width)];
        _sums = half && halfRows ? new int[component.Width] : [];
    }

    /// <summary>Row <paramref name="y"/> of the frame; valid until the next call.</summary>
    public ReadOnlySpan<byte> Read(int y) => _read(y);

    private ReadOnlySpan<byte> Source(int row) => _component.Samples.AsSpan(row * _component.Stride, _component.Width);

    /// <summary>The row that is nearest to frame row y beside row y/2, repeated at the edges.</summary>
    private ReadOnlySpan<byte> Neighbour(int y) => Source(Math.Clamp((y & 1) == 0 ? (y >> 1) - 1 : (y >> 1) + 1, 0, _component.Height - 1));

    private ReadOnlySpan<byte> ReadFull(int y) => Source(y);

    private ReadOnlySpan<byte> ReadHalfWidth(int y)
    {
        ReadOnlySpan<byte> source = Source(y);
        Span<byte> row = _row;
        int last = source.Length - 1;
        row[0] = source[0];
        row[2 * last + 1] = source[last];
        for (int x = 0; x < last; x++)
        {
            row[2 * x + 1] = (byte)((3 * source[x] + source[x + 1] + 2) >> 2);
            row[2 * x + 2] = (byte)((3 * source[x + 1] + source[x] + 1) >> 2);
        }
        return row;
    }

    private ReadOnlySpan<byte> ReadHalfHeight(int y)
    {
        ReadOnlySpan<byte> near = Source(y >> 1), far = Neighbour(y);
        int bias = (y & 1) + 1;
        for (int x = 0; x < near.Length; x++)
            _row[x] = (byte)((3 * near[x] + far[x] + bias) >> 2);
        return _row;
    }

    private ReadOnlySpan<byte> ReadHalfBoth(int y)
    {
        ReadOnlySpan<byte> near = Source(y >> 1), far = Neighbour(y);
        Span<int> sums = _sums;
        for (int x = 0; x < near.Length; x++)
            sums[x] = 3 * near[x] + far[x];
        Span<byte> row = _row;
        int last = near.Length - 1;
        row[0] = (byte)((4 * sums[0] + 8) >> 4);
        row[2 * last + 1] = (byte)((4 * sums[last] + 7) >> 4);
        for (int x = 0; x < last; x++)
        {
            row[2 * x + 1] = (byte)((3 * sums[x] + sums[x + 1] + 7) >> 4);
            row[2 * x + 2] = (byte)((3 * sums[x + 1] + sums[x] + 8) >> 4);
        }
        return row;
    }

    private ReadOnlySpan<byte> ReadRepeated(int y)
    {
        ReadOnlySpan<byte> source = Source((int)((long)y * _component.Vertical / _frame.MaxVertical));
        for (int x = 0; x < _frame.Width; x++)
            _row[x] = source[(int)((long)x * _component.Horizontal / _frame.MaxHorizontal)];
        return _row;
    }
}
