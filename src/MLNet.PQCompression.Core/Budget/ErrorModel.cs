namespace MLNet.PQCompression.Budget;

/// <summary>Turns a few measured errors and divergences of a layer into those of all its choices.</summary>
/// <remarks>
/// At high rate the error of a quantizer of blocks of d values falls as k^(−2/d) (Zador), a line in logarithms; so between two measured codebooks log error is linear in log k, and beyond the last it goes on as
/// between the last two. For small errors the divergence is quadratic in the change of the outputs, so linear in the relative error; a power law through two measurements lets larger ones depart from that.
/// </remarks>
internal static class ErrorModel
{
    /// <summary>How far the power of the divergence may depart from 1.</summary>
    private const double LeastPower = 0.7, MostPower = 1.4;

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
    /// <param name="a">Error and divergence of one choice.</param>
    /// <param name="b">Those of another, or the same.</param>
    public static Func<double, double> Divergence((double Error, double Divergence) a, (double Error, double Divergence) b)
    {
        double Positive(double value) => Math.Max(Smallest, value);
        double ratio = Math.Log(Positive(b.Error) / Positive(a.Error));
        double power = Math.Abs(ratio) < 0.1 ? 1 : Math.Clamp(Math.Log(Positive(b.Divergence) / Positive(a.Divergence)) / ratio, LeastPower, MostPower);
        // Through the geometric mean of both measurements.
        double error = Math.Sqrt(Positive(a.Error) * Positive(b.Error)), divergence = Math.Sqrt(Positive(a.Divergence) * Positive(b.Divergence));
        return e => e <= 0 ? 0 : divergence * Math.Pow(e / error, power);
    }
}
