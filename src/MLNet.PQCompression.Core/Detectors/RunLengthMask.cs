using System.Collections.Immutable;

namespace MLNet.PQCompression.Detectors;

/// <summary>A binary mask of a picture, as lengths of runs down the columns: the first counts pixels that are out, the next those that are in, and so on (COCO's RLE).</summary>
public sealed class RunLengthMask
{
    /// <summary>Creates a mask from its runs.</summary>
    /// <param name="height">The picture's height in pixels.</param>
    /// <param name="width">The picture's width in pixels.</param>
    /// <param name="counts">The runs; they add up to height·width.</param>
    /// <exception cref="ArgumentException">A run is negative, or they do not add up.</exception>
    public RunLengthMask(int height, int width, ImmutableArray<int> counts)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(height);
        ArgumentOutOfRangeException.ThrowIfNegative(width);
        long sum = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            if (counts[i] < 0)
                throw new ArgumentException($"Run {i} has a length of {counts[i]}.", nameof(counts));
            sum += counts[i];
            if (i % 2 == 1)
                Area += counts[i];
        }
        if (sum != (long)height * width)
            throw new ArgumentException($"The runs add up to {sum} pixels; a mask of {height}×{width} has {(long)height * width}.", nameof(counts));
        (Height, Width, Counts) = (height, width, counts);
    }

    /// <summary>The picture's height in pixels.</summary>
    public int Height { get; }

    /// <summary>The picture's width in pixels.</summary>
    public int Width { get; }

    /// <summary>The lengths of the runs, out and in by turns.</summary>
    public ImmutableArray<int> Counts { get; }

    /// <summary>The number of pixels that are in.</summary>
    public long Area { get; }

    /// <summary>The mask of those pixels of a map that are above a threshold.</summary>
    /// <param name="values">height·width values, row by row.</param>
    /// <param name="height">The map's height.</param>
    /// <param name="width">The map's width.</param>
    /// <param name="threshold">What a pixel that is in exceeds.</param>
    /// <exception cref="ArgumentException">The number of values is another.</exception>
    public static RunLengthMask Above(ReadOnlySpan<float> values, int height, int width, float threshold)
    {
        if (values.Length != (long)height * width)
            throw new ArgumentException($"A map of {height}×{width} does not have {values.Length} values.", nameof(values));
        var runs = new RunBuilder();
        for (int x = 0; x < width; x++)
            for (int y = 0; y < height; y++)
                runs.Add(values[(y * width) + x] > threshold, 1);
        return new(height, width, runs.ToCounts());
    }

    /// <summary>The mask of polygons: a pixel is in where its centre lies inside one of them (by the even-odd rule).</summary>
    /// <param name="polygons">Corners x, y, x, y, … in pixels.</param>
    /// <param name="height">The picture's height.</param>
    /// <param name="width">The picture's width.</param>
    public static RunLengthMask OfPolygons(IEnumerable<IReadOnlyList<double>> polygons, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(polygons);
        IReadOnlyList<double>[] all = [.. polygons];
        var runs = new RunBuilder();
        var inside = new bool[height];
        var crossings = new List<double>();
        for (int x = 0; x < width; x++)
        {
            Array.Clear(inside);
            foreach (IReadOnlyList<double> polygon in all)
                MarkColumn(polygon, x + 0.5, crossings, inside);
            foreach (bool isIn in inside)
                runs.Add(isIn, 1);
        }
        return new(height, width, runs.ToCounts());
    }

    /// <summary>Reads COCO's compressed form: each run in groups of five bits, from the third on as the difference from the one before the last.</summary>
    /// <exception cref="ArgumentException">The text is not of that form, or does not fit the size.</exception>
    public static RunLengthMask FromCompressed(string text, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(text);
        var counts = ImmutableArray.CreateBuilder<int>();
        for (int i = 0; i < text.Length;)
        {
            long value = 0;
            int shift = 0, group;
            do
            {
                group = i < text.Length ? text[i++] - 48 : -1;
                if (group is < 0 or > 63 || shift > 30)
                    throw new ArgumentException("It is no compressed run length encoding.", nameof(text));
                value |= (long)(group & 31) << shift;
                shift += 5;
            }
            while ((group & 32) != 0);
            if ((group & 16) != 0)
                value |= -1L << shift;
            if (counts.Count > 2)
                value += counts[^2];
            counts.Add(value is >= 0 and <= int.MaxValue ? (int)value : throw new ArgumentException($"A run has a length of {value}.", nameof(text)));
        }
        return new(height, width, counts.ToImmutable());
    }

    /// <summary>The number of pixels that are in both masks.</summary>
    /// <exception cref="ArgumentException">The masks have different sizes.</exception>
    public long Intersection(RunLengthMask other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Height != Height || other.Width != Width)
            throw new ArgumentException($"A mask of {Height}×{Width} and one of {other.Height}×{other.Width} are of different pictures.", nameof(other));
        (long both, int i, int j) = (0, 0, 0);
        (long end, long otherEnd, long at) = (Counts.Length > 0 ? Counts[0] : 0, other.Counts.Length > 0 ? other.Counts[0] : 0, 0);
        while (i < Counts.Length && j < other.Counts.Length)
        {
            long next = Math.Min(end, otherEnd);
            if (i % 2 == 1 && j % 2 == 1)
                both += next - at;
            at = next;
            if (end == next && ++i < Counts.Length)
                end += Counts[i];
            if (otherEnd == next && ++j < other.Counts.Length)
                otherEnd += other.Counts[j];
        }
        return both;
    }

    /// <summary>A byte for each pixel, row by row: 1 where it is in.</summary>
    public byte[] ToPixels()
    {
        var pixels = new byte[checked(Height * Width)];
        int at = 0;
        for (int i = 0; i < Counts.Length; i++)
            for (int end = at + Counts[i]; at < end; at++)
                pixels[(at % Height * Width) + (at / Height)] = (byte)(i % 2);
        return pixels;
    }

    private static void MarkColumn(IReadOnlyList<double> polygon, double x, List<double> crossings, bool[] inside)
    {
        crossings.Clear();
        int corners = polygon.Count / 2;
        for (int i = 0, last = corners - 1; i < corners; last = i++)
        {
            (double x0, double y0, double x1, double y1) = (polygon[2 * last], polygon[(2 * last) + 1], polygon[2 * i], polygon[(2 * i) + 1]);
            if (x0 <= x != x1 <= x)
                crossings.Add(y0 + ((x - x0) / (x1 - x0) * (y1 - y0)));
        }
        crossings.Sort();
        for (int i = 0; i + 1 < crossings.Count; i += 2)
        {
            int first = (int)Math.Clamp(Math.Ceiling(crossings[i] - 0.5), 0, inside.Length);
            int end = (int)Math.Clamp(Math.Ceiling(crossings[i + 1] - 0.5), 0, inside.Length);
            for (int y = first; y < end; y++)
                inside[y] = true;
        }
    }

    /// <summary>Joins pixels to runs.</summary>
    private sealed class RunBuilder
    {
        private readonly ImmutableArray<int>.Builder _counts = ImmutableArray.CreateBuilder<int>();
        private bool _isIn;
        private int _length;

        public void Add(bool isIn, int length)
        {
            if (isIn != _isIn)
            {
                _counts.Add(_length);
                (_isIn, _length) = (isIn, 0);
            }
            _length += length;
        }

        public ImmutableArray<int> ToCounts()
        {
            _counts.Add(_length);
            return _counts.ToImmutable();
        }
    }
}
