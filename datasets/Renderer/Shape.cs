namespace MLNet.PQCompression.Datasets;

/// <summary>A class of the data set: which points of the plane, at a size of about 1 around the origin, belong to the shape.</summary>
internal sealed record Shape(string Name, Func<double, double, bool> Contains)
{
    /// <summary>The ten classes in ordinal order of their names, so that an index is a label.</summary>
    public static IReadOnlyList<Shape> All { get; } =
    [
        new("arrow", (x, y) => (y < 0 && y > -0.95 && Math.Abs(x) < 0.75 * (y + 0.95)) || (y >= 0 && y < 0.9 && Math.Abs(x) < 0.26)),
        new("crescent", (x, y) => Norm(x, y) < 0.95 && Norm(x - 0.42, y) > 0.72),
        new("cross", (x, y) => Math.Max(Math.Abs(x), Math.Abs(y)) < 0.92 && Math.Min(Math.Abs(x), Math.Abs(y)) < 0.28),
        new("disk", (x, y) => Norm(x, y) < 0.85),
        new("heart", Heart),
        new("pentagon", (x, y) => InPolygon(x, y, 5)),
        new("ring", (x, y) => Norm(x, y) is > 0.5 and < 0.92),
        new("square", (x, y) => Math.Max(Math.Abs(x), Math.Abs(y)) < 0.76),
        new("star", Star),
        new("triangle", (x, y) => InPolygon(x, y, 3)),
    ];

    private static double Norm(double x, double y) => Math.Sqrt(x * x + y * y);

    /// <summary>Inside a regular polygon: the distance along the nearest side's normal is below the inner radius.</summary>
    private static bool InPolygon(double x, double y, int sides)
    {
        double sector = 2 * Math.PI / sides, angle = Math.Atan2(x, y);
        double fromNormal = angle - Math.Floor(angle / sector + 0.5) * sector;
        return Norm(x, y) * Math.Cos(fromNormal) < (sides == 3 ? 0.55 : 0.78);
    }

    /// <summary>(x² + y² − 1)³ &lt; x² y³, drawn smaller and moved to its centre.</summary>
    private static bool Heart(double x, double y)
    {
        double u = 1.25 * x, v = -1.25 * y + 0.15, t = u * u + v * v - 1;
        return t * t * t < u * u * v * v * v;
    }

    /// <summary>A five-pointed star: the boundary runs straight between tips at 1 and notches at 0.42.</summary>
    private static bool Star(double x, double y)
    {
        double sector = 2 * Math.PI / 5, angle = Math.Atan2(x, y);
        double fromTip = Math.Abs(angle - Math.Floor(angle / sector + 0.5) * sector), half = sector / 2;
        (double tipX, double notchX, double notchY) = (1.0, 0.42 * Math.Cos(half), 0.42 * Math.Sin(half));
        double px = Norm(x, y) * Math.Cos(fromTip), py = Norm(x, y) * Math.Sin(fromTip);
        return (notchX - tipX) * py - notchY * (px - tipX) > 0;
    }
}
