using System.Collections.Immutable;

namespace MLNet.PQCompression.Graph;

/// <summary>What becomes of the values that a reduction joins.</summary>
public enum ReduceFunction
{
    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>The largest.</summary>
    Max,

    /// <summary>The smallest.</summary>
    Min,

    /// <summary>Their product.</summary>
    Prod,

    /// <summary>The sum of their absolute values.</summary>
    L1,

    /// <summary>The square root of the sum of their squares.</summary>
    L2,

    /// <summary>The sum of their squares.</summary>
    SumSquare,

    /// <summary>The logarithm of their sum.</summary>
    LogSum,

    /// <summary>The logarithm of the sum of their exponentials.</summary>
    LogSumExp,
}

/// <summary>Joins the values along some axes (none negative) into one.</summary>
public sealed record Reduce(ReduceFunction Function, ImmutableArray<int> Axes, bool KeepDimensions = true) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Reduce" + Function;
}
