using System.Buffers;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// What output-aware quantization needs to know of a layer: for each group the moments XᵀX of the student's inputs X, their products XᵀY with
/// the teacher's outputs Y, and the sums of both.
/// </summary>
/// <remarks>Memory: g·(n² + n·C_out/g) floats and one streamed batch, whatever the number of images.</remarks>
public sealed class OutputStatistics
{
    private readonly double[][] _inputSums;
    private readonly double[] _outputSums;
    private readonly double[] _outputSquares;

    /// <summary>Empty sums for a layer.</summary>
    /// <param name="geometry">The layer.</param>
    /// <param name="views">How many of the samples that will be added show the same image.</param>
    public OutputStatistics(LayerGeometry geometry, int views = 1)
    {
        ArgumentNullException.ThrowIfNull(geometry);
        Geometry = geometry;
        int n = geometry.RowLength;
        Moments = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new float[checked(n * n)])];
        Products = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new float[checked(n * geometry.RowsPerGroup)])];
        Spreads = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new CovarianceSpread(n, views))];
        _inputSums = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new double[n])];
        _outputSums = new double[geometry.Rows];
        _outputSquares = new double[geometry.Rows];
    }

    /// <summary>The layer.</summary>
    public LayerGeometry Geometry { get; }

    /// <summary>The rows added so far.</summary>
    public long Count { get; private set; }

    /// <summary>XᵀX of each group, n×n.</summary>
    internal float[][] Moments { get; }

    /// <summary>XᵀY of each group, n×RowsPerGroup.</summary>
    internal float[][] Products { get; }

    /// <summary>How much the inputs' covariance of each group differs between images.</summary>
    internal CovarianceSpread[] Spreads { get; }

    /// <summary>The mean of input i of a group.</summary>
    internal double InputMean(int group, int i) => _inputSums[group][i] / Count;

    /// <summary>The mean of the teacher's output o.</summary>
    internal double OutputMean(int o) => _outputSums[o] / Count;

    /// <summary>The variance of the teacher's output o.</summary>
    internal double OutputVariance(int o) => Math.Max(0, _outputSquares[o] / Count - OutputMean(o) * OutputMean(o));

    /// <summary>Adds a batch.</summary>
    /// <param name="input">The student's input of the layer.</param>
    /// <param name="output">The teacher's output of the layer for the same images.</param>
    /// <param name="positionsPerImage">How many positions of each image are taken at most.</param>
    /// <param name="seed">Seed of the positions.</param>
    /// <param name="pool">The threads to share.</param>
    public void Add(Activation input, Activation output, int positionsPerImage, int seed, WorkerPool? pool = null)
    {
        var sampler = new PatchSampler(Geometry, input, positionsPerImage, seed);
        (int n, int width, int count) = (Geometry.RowLength, Geometry.RowsPerGroup, sampler.Count);
        float[] x = ArrayPool<float>.Shared.Rent(count * n), y = ArrayPool<float>.Shared.Rent(count * width);
        for (int g = 0; g < Geometry.Groups; g++)
        {
            sampler.GatherInputs(g, x.AsMemory(0, count * n), pool);
            sampler.GatherOutputs(output, g, y.AsMemory(0, count * width), pool);
            MatrixProduct.SymmetricRankUpdate(n, count, x, n, Moments[g], n, pool);
            MatrixProduct.Multiply(true, false, n, width, count, x, n, y, width, 1, Products[g], width, pool);
            Spreads[g].Add(x, count, input.Shape[0], pool);
            AddSums(x.AsSpan(0, count * n), _inputSums[g], null);
            AddSums(y.AsSpan(0, count * width), _outputSums.AsSpan(g * width, width), _outputSquares.AsSpan(g * width, width));
        }
        ArrayPool<float>.Shared.Return(x);
        ArrayPool<float>.Shared.Return(y);
        Count += count;
    }

    private static void AddSums(ReadOnlySpan<float> rows, Span<double> sums, Span<double> squares)
    {
        int width = sums.Length;
        var batch = new float[width];
        for (int start = 0; start < rows.Length; start += width)
            System.Numerics.Tensors.TensorPrimitives.Add(batch, rows.Slice(start, width), batch);
        for (int i = 0; i < width; i++)
            sums[i] += batch[i];
        if (squares.IsEmpty)
            return;
        Array.Clear(batch);
        for (int start = 0; start < rows.Length; start += width)
            System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(rows.Slice(start, width), rows.Slice(start, width), batch, batch);
        for (int i = 0; i < width; i++)
            squares[i] += batch[i];
    }
}
