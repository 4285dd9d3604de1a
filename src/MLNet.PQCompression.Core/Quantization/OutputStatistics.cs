using System.Buffers;
using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// What output-aware quantization needs to know of a layer: for each group the moments XᵀX of the student's inputs X, their products XᵀY with
/// the teacher's outputs Y, and the sums of both. They are kept apart for two halves of the images, so that what one half suggests can be tried on the other.
/// </summary>
/// <remarks>Memory: 2·g·(n² + n·C_out/g) floats and one streamed batch, whatever the number of images.</remarks>
public sealed class OutputStatistics : ISums
{
    private readonly SumOrigins _origins;

    /// <summary>Empty sums for a layer.</summary>
    /// <param name="geometry">The layer.</param>
    /// <param name="views">How many of the samples that will be added show the same image.</param>
    /// <param name="origins">The origins of sums that are to be added to others, or null for those of the first batch.</param>
    public OutputStatistics(LayerGeometry geometry, int views = 1, SumOrigins? origins = null)
    {
        ArgumentNullException.ThrowIfNull(geometry);
        Geometry = geometry;
        _origins = origins ?? SumOrigins.Unset(geometry);
        Halves = [new(geometry, _origins), new(geometry, _origins)];
        Spreads = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new CovarianceSpread(geometry.RowLength, views))];
    }

    /// <summary>The layer.</summary>
    public LayerGeometry Geometry { get; }

    /// <summary>The rows added so far.</summary>
    public long Count => Halves.Sum(h => h.Count);

    /// <summary>The sums over each half of the images.</summary>
    internal MomentSums[] Halves { get; }

    /// <summary>How much the inputs' covariance of each group differs between images.</summary>
    internal CovarianceSpread[] Spreads { get; }

    /// <summary>What inputs and outputs are summed as differences from.</summary>
    internal SumOrigins Origins => _origins;

    IEnumerable<float[]> ISums.Singles => Halves.SelectMany(h => h.Inputs.Concat(h.Products));

    IEnumerable<double[]> ISums.Doubles => [.. Halves.SelectMany(h => h.Doubles), .. Spreads.SelectMany(s => s.Doubles)];

    /// <summary>The mean of input i of a group.</summary>
    internal double InputMean(int group, int i) => Mean(_origins.Inputs[group], i, Halves.Sum(h => h.InputSum(group, i)));

    /// <summary>The mean of the teacher's output o.</summary>
    internal double OutputMean(int o) => Mean(_origins.Outputs[o / Geometry.RowsPerGroup], o % Geometry.RowsPerGroup, Halves.Sum(h => h.OutputSum(o)));

    /// <summary>Adds a batch.</summary>
    /// <param name="input">The student's input of the layer.</param>
    /// <param name="output">The teacher's output of the layer for the same images.</param>
    /// <param name="positionsPerImage">How many positions of each image are taken at most.</param>
    /// <param name="seed">Seed of the positions.</param>
    /// <param name="pool">The threads to share.</param>
    /// <param name="batch">The batch's place among those of all images, the same for other views of its images. Its first images belong to one half and its last to the other.</param>
    public void Add(Activation input, Activation output, int positionsPerImage, int seed, WorkerPool? pool = null, int batch = 0)
    {
        var sampler = new PatchSampler(Geometry, input, positionsPerImage, seed);
        (int n, int width, int count, int images) = (Geometry.RowLength, Geometry.RowsPerGroup, sampler.Count, input.Shape[0]);
        int first = (images + batch % 2) / 2 * (count / images);
        float[] x = ArrayPool<float>.Shared.Rent(count * n), y = ArrayPool<float>.Shared.Rent(count * width);
        for (int g = 0; g < Geometry.Groups; g++)
        {
            sampler.GatherInputs(g, x.AsMemory(0, count * n), pool);
            sampler.GatherOutputs(output, g, y.AsMemory(0, count * width), pool);
            _origins.Set(g, x.AsSpan(0, count * n), y.AsSpan(0, count * width));
            _origins.Inputs[g].Move(x.AsMemory(0, count * n), pool);
            _origins.Outputs[g].Move(y.AsMemory(0, count * width), pool);
            Halves[0].Add(g, first, x, y, pool);
            Halves[1].Add(g, count - first, x.AsSpan(first * n), y.AsSpan(first * width), pool);
            Spreads[g].Add(x, count, images, pool);
        }
        ArrayPool<float>.Shared.Return(x);
        ArrayPool<float>.Shared.Return(y);
    }

    private double Mean(RowOrigin origin, int i, double sum) => origin[i] + sum / Count / origin.Scale;
}
