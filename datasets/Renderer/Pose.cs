namespace MLNet.PQCompression.Datasets;

/// <summary>Where a shape lies: the affine map from the picture's pixels to the shape's own coordinates.</summary>
internal readonly record struct Pose(double CenterX, double CenterY, double Xx, double Xy, double Yx, double Yy)
{
    public static Pose Identity => new(0, 0, 1, 0, 0, 1);

    /// <summary>A rotation of up to <paramref name="turn"/> radians to either side, a radius in pixels, a moderate stretch and shear, a centre within <paramref name="shift"/> pixels of the picture's.</summary>
    public static Pose Random(Random random, double turn, double minimumRadius, double maximumRadius, double shift)
    {
        double radius = minimumRadius + (maximumRadius - minimumRadius) * random.NextDouble();
        double angle = turn * (2 * random.NextDouble() - 1), stretch = Math.Exp(0.5 * (random.NextDouble() - 0.5)), shear = 0.4 * (random.NextDouble() - 0.5);
        (double sin, double cos) = Math.SinCos(angle);
        double a = 1 / (radius * stretch), b = stretch / radius;
        double centerX = Scene.Size / 2.0 + shift * (2 * random.NextDouble() - 1), centerY = Scene.Size / 2.0 + shift * (2 * random.NextDouble() - 1);
        return new(centerX, centerY, a * (cos + shear * sin), a * (sin - shear * cos), -b * sin, b * cos);
    }

    public (double X, double Y) ToShape(double x, double y)
    {
        (x, y) = (x - CenterX, y - CenterY);
        return (Xx * x + Xy * y, Yx * x + Yy * y);
    }
}
