namespace MLNet.PQCompression.Budget;

/// <summary>Turns a few measured errors and divergences of a layer into those of all its choices.</summary>
/// <remarks>
/// At high rate the error of a quantizer of blocks of d values falls as k^(−2/d) (Zador), a line in logarithms; so between two measured codebooks log error is linear in log k, and beyond the last it goes on as
/// between the last two. For small errors the divergence is quadratic in the change of the outputs, so linear in the relative error; how larger ones depart from that is measured at a few, between which its logarithm is
/// taken as linear in that of the error.
/// </remarks>
internal static class ErrorModel
{
    /// <summary>Errors nearer to each other than this, in logarithms, are one measurement.</summary>
    private const double LeastDistance = 0.05;

    private const double Smallest = 1e-12;

    /// <summary>The error at a number of codewords.</summary>
    /// <param name="measured">Codewords and errors, smallest codebook first.</param>
    /// <param name="codewords">k.</param>
    public static double Error(IReadOnlyList<(int Codewords, double Error)> measured, int codewords)
    {
        if (measured.Count == 1)
            return measured[0].Error * Math.Pow((double)measured[0].Codewords / codewords, 0.25);
        int i = 0;
        while (i < measured.Count - 2 && measured[i + 1].Codewords < codewords)
            i++;
        (double x0, double x1) = (Math.Log(measured[i].Codewords), Math.Log(measured[i + 1].Codewords));
        (double y0, double y1) = (Math.Log(Math.Max(Smallest, measured[i].Error)), Math.Log(Math.Max(Smallest, measured[i + 1].Error)));
        return Math.Exp(y0 + Math.Min(0, y1 - y0) * (Math.Log(codewords) - x0) / (x1 - x0));
    }

    /// <summary>The divergence that a layer's error costs, as a function of the error.</summary>
    /// <param name="measured">Errors and divergences, at least one.</param>
    public static Func<double, double> Divergence(IReadOnlyList<(double Error, double Divergence)> measured)
    {
        var points = new List<(double X, double Y)>();
        foreach ((double error, double divergence) in measured.OrderBy(m => m.Error))
        {
            double x = Math.Log(Math.Max(Smallest, error)), y = Math.Log(Math.Max(Smallest, divergence));
            if (points.Count == 0 || x > points[^1].X + LeastDistance)
                points.Add((x, points.Count == 0 ? y : Math.Max(y, points[^1].Y)));
        }
        return e => e <= 0 ? 0 : Math.Exp(At(points, Math.Log(Math.Max(Smallest, e))));
    }

    /// <summary>Between two points a line; beyond the first and the last the divergence is proportional to the error.</summary>
    private static double At(List<(double X, double Y)> points, double x)
    {
        int above = points.FindIndex(p => p.X > x);
        if (above == 0)
            return points[0].Y + x - points[0].X;
        if (above < 0)
            return points[^1].Y + x - points[^1].X;
        ((double x0, double y0), (double x1, double y1)) = (points[above - 1], points[above]);
        return y0 + (y1 - y0) * (x - x0) / (x1 - x0);
    }
}
