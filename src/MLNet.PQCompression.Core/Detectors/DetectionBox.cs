namespace MLNet.PQCompression.Detectors;

/// <summary>A rectangle in pixels of the picture; (0, 0) is its upper left corner.</summary>
/// <param name="Left">The left edge.</param>
/// <param name="Top">The upper edge.</param>
/// <param name="Right">The right edge; not left of <paramref name="Left"/>.</param>
/// <param name="Bottom">The lower edge; not above <paramref name="Top"/>.</param>
public readonly record struct DetectionBox(double Left, double Top, double Right, double Bottom)
{
    /// <summary>Width times height, 0 where the edges are crossed.</summary>
    public double Area => Math.Max(0, Right - Left) * Math.Max(0, Bottom - Top);

    /// <summary>The area that two boxes share.</summary>
    public double Intersection(DetectionBox other) =>
        new DetectionBox(Math.Max(Left, other.Left), Math.Max(Top, other.Top), Math.Min(Right, other.Right), Math.Min(Bottom, other.Bottom)).Area;

    /// <summary>The area that two boxes share, as a share of what they cover together: 0 to 1.</summary>
    public double Overlap(DetectionBox other)
    {
        double both = Intersection(other), whole = Area + other.Area - both;
        return whole > 0 ? both / whole : 0;
    }
}
