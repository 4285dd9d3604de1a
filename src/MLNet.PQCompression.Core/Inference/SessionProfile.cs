using System.Collections.Immutable;

namespace MLNet.PQCompression.Inference;

/// <summary>Where the time of a call goes.</summary>
/// <param name="Batch">Images of the call.</param>
/// <param name="Steps">The steps in the order in which they run.</param>
public sealed record SessionProfile(int Batch, ImmutableArray<StepProfile> Steps)
{
    /// <summary>The sum over all steps.</summary>
    public TimeSpan Total => TimeSpan.FromTicks(Steps.Sum(s => s.Time.Ticks));
}

/// <summary>One step of a compiled model.</summary>
/// <param name="Name">The first node that it computes.</param>
/// <param name="Kernel">What computes it.</param>
/// <param name="Output">C×H×W of what it makes.</param>
/// <param name="Operations">Multiplications and additions of the layer's definition for the batch, 0 where there are none to speak of.</param>
/// <param name="Time">The least time of several calls: what other programs take away does not count.</param>
public sealed record StepProfile(string Name, string Kernel, string Output, long Operations, TimeSpan Time)
{
    /// <summary>10⁹ operations of the definition in a second; a fast algorithm may pass the machine's peak.</summary>
    public double GigaflopsPerSecond => Time > TimeSpan.Zero ? Operations / Time.TotalSeconds / 1e9 : 0;
}
