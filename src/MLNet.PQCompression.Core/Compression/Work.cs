using System.Collections.Immutable;

namespace MLNet.PQCompression.Compression;

/// <summary>The kinds of work of a compression. Each is counted in multiplications, or what takes about as long, and has a speed of its own.</summary>
internal enum WorkKind
{
    /// <summary>Images decoded and kept.</summary>
    Reading,

    /// <summary>Nodes evaluated on the frontier.</summary>
    Evaluation,

    /// <summary>Whole networks scored.</summary>
    Scoring,

    /// <summary>Moments of a layer's inputs and outputs.</summary>
    Statistics,

    /// <summary>Factors and products of the drift correction.</summary>
    Solving,

    /// <summary>The search for codes and codebooks.</summary>
    Search,

    /// <summary>Gradient steps.</summary>
    Distillation,
}

/// <summary>An amount of work of each kind.</summary>
internal readonly struct Work
{
    /// <summary>How many kinds there are.</summary>
    public static readonly int Kinds = Enum.GetValues<WorkKind>().Length;

    private readonly ImmutableArray<double> _amounts;

    private Work(ImmutableArray<double> amounts) => _amounts = amounts;

    /// <summary>The amount of a kind.</summary>
    public double this[WorkKind kind] => _amounts.IsDefault ? 0 : _amounts[(int)kind];

    /// <summary>Work of one kind.</summary>
    public static Work Of(WorkKind kind, double amount)
    {
        var amounts = new double[Kinds];
        amounts[(int)kind] = amount;
        return new([.. amounts]);
    }

    public static Work operator +(Work a, Work b) => Combine(a, b, (x, y) => x + y);

    /// <summary>What is left of one when another is done; never less than nothing.</summary>
    public static Work operator -(Work a, Work b) => Combine(a, b, (x, y) => Math.Max(0, x - y));

    public static Work operator *(double times, Work work) => Combine(work, default, (x, _) => times * x);

    private static Work Combine(Work a, Work b, Func<double, double, double> combine) =>
        new([.. Enumerable.Range(0, Kinds).Select(k => combine(a[(WorkKind)k], b[(WorkKind)k]))]);
}
