using System.Globalization;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Budget;

/// <summary>Finds the best plan whose file, laid out exactly, is no larger than a target.</summary>
internal static class SizeFit
{
    private const int MostRounds = 8;

    /// <summary>The best plan found; its bytes are exact, what is reserved included.</summary>
    /// <exception cref="ArgumentException">Even the smallest plan is larger; the message says what it takes.</exception>
    public static PlanPoint Within(ModelGraph model, NetworkAnalysis analysis, long target, long reserved)
    {
        PlanPoint? best = null;
        long other = analysis.OtherBytes + reserved;
        for (int round = 0; round < MostRounds; round++)
        {
            NetworkAnalysis corrected = analysis.WithOtherBytes(other);
            PlanPoint plan = corrected.Within(target) ?? corrected.Curve[0];
            long exact = Exact(model, analysis, plan) + reserved;
            if (exact <= target && (best is null || plan.Divergence < best.Divergence))
                best = plan with { FileBytes = exact };
            if (exact == plan.FileBytes || (exact > target && plan.FileBytes > target))
                break;
            other += exact - plan.FileBytes;
        }
        return best ?? throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
            $"A file of {target:N0} bytes cannot be reached: the smallest plan takes {Exact(model, analysis, analysis.Curve[0]) + reserved:N0}, of which {analysis.OtherBytes + reserved:N0} belong to no layer that is quantized."));
    }

    private static long Exact(ModelGraph model, NetworkAnalysis analysis, PlanPoint plan) => SizeProbe.Measure(model, analysis.Layers.Zip(plan.Choices).Select(p => (p.First.Plan, p.Second)));
}
