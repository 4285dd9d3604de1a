namespace MLNet.PQCompression.Reporting.Html;

/// <summary>A logarithmic axis with ticks at 1, 2 and 5 times powers of ten.</summary>
/// <param name="least">The least value shown, above 0.</param>
/// <param name="most">The greatest.</param>
/// <param name="from">Where the least lies.</param>
/// <param name="to">Where the greatest lies.</param>
/// <param name="unit">What ticks are round multiples of.</param>
internal sealed class LogAxis(double least, double most, double from, double to, double unit)
{
    /// <summary>Where a value lies.</summary>
    public double At(double value) => most > least ? from + (to - from) * Math.Log(value / least) / Math.Log(most / least) : (from + to) / 2;

    /// <summary>Round values in between, at most about eight.</summary>
    public IReadOnlyList<double> Ticks
    {
        get
        {
            double[] all = [.. Enumerable.Range((int)Math.Floor(Math.Log10(least / unit)), 1 + (int)Math.Ceiling(Math.Log10(most / least)) + 1)
                .SelectMany(p => new[] { 1.0, 2, 5 }.Select(m => m * Math.Pow(10, p) * unit)).Where(v => v >= least && v <= most)];
            return all.Length <= 8 ? all : [.. all.Where((_, i) => i % 3 == 0)];
        }
    }
}
