using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Compression;

/// <summary>What became of one layer.</summary>
/// <param name="Plan">What was planned.</param>
/// <param name="RelativeError">The share of the outputs' energy that is error, by the method's own objective; null for a layer left alone.</param>
/// <param name="Objective">The method's objective after each of its steps; empty for a layer left alone.</param>
/// <param name="Seconds">The time it took, statistics included.</param>
public sealed record LayerReport(LayerPlan Plan, double? RelativeError, ImmutableArray<double> Objective, double Seconds);

/// <summary>What a compression did.</summary>
/// <param name="Layers">Every convolution and linear layer in order.</param>
/// <param name="Images">The images the statistics were taken from.</param>
/// <param name="DenseBytes">The teacher's parameters in float32, counted as the paper does.</param>
/// <param name="PaperBytes">The student's, counted as the paper does.</param>
/// <param name="Seconds">The time it took.</param>
public sealed record CompressionReport(ImmutableArray<LayerReport> Layers, int Images, long DenseBytes, long PaperBytes, double Seconds)
{
    /// <summary>What it ran on: "managed, 2 threads".</summary>
    public string Backend { get; init; } = "";

    /// <summary>How many times smaller the student is.</summary>
    public double Ratio => (double)DenseBytes / PaperBytes;
}

/// <summary>The compressed network and how it came about.</summary>
/// <param name="Student">The teacher with quantized weights.</param>
/// <param name="Report">What was done.</param>
public sealed record CompressionResult(ModelGraph Student, CompressionReport Report);
