using System.Numerics.Tensors;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>Sums over rows of a layer's inputs X and the outputs Y wanted for them: XᵀX, XᵀY and the sums of both.</summary>
/// <remarks>Memory: g·(n² + n·C_out/g) floats.</remarks>
internal sealed class MomentSums
{
    private readonly int _n, _width;
    private readonly double[][] _inputSums;
    private readonly double[] _outputSums;

    /// <summary>Empty sums for a layer.</summary>
    public MomentSums(LayerGeometry geometry)
    {
        (_n, _width) = (geometry.RowLength, geometry.RowsPerGroup);
        Inputs = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new float[checked(_n * _n)])];
        Products = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new float[checked(_n * _width)])];
        _inputSums = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new double[_n])];
        _outputSums = new double[geometry.Rows];
    }

    /// <summary>XᵀX of each group, n×n.</summary>
    public float[][] Inputs { get; }

    /// <summary>XᵀY of each group, n×RowsPerGroup.</summary>
    public float[][] Products { get; }

    /// <summary>The rows added so far.</summary>
    public long Count { get; private set; }

    /// <summary>The sum of input i of a group.</summary>
    public double InputSum(int group, int i) => _inputSums[group][i];

    /// <summary>The sum of output o.</summary>
    public double OutputSum(int o) => _outputSums[o];

    /// <summary>Adds rows of one group.</summary>
    /// <param name="group">The group.</param>
    /// <param name="count">The number of rows.</param>
    /// <param name="x">count×n inputs.</param>
    /// <param name="y">count×RowsPerGroup outputs.</param>
    /// <param name="pool">The threads to share.</param>
    public void Add(int group, int count, ReadOnlySpan<float> x, ReadOnlySpan<float> y, WorkerPool? pool)
    {
        MatrixProduct.SymmetricRankUpdate(_n, count, x, _n, Inputs[group], _n, pool);
        MatrixProduct.Multiply(true, false, _n, _width, count, x, _n, y, _width, 1, Products[group], _width, pool);
        AddSums(x[..(count * _n)], _inputSums[group]);
        AddSums(y[..(count * _width)], _outputSums.AsSpan(group * _width, _width));
        if (group == 0)
            Count += count;
    }

    private static void AddSums(ReadOnlySpan<float> rows, Span<double> sums)
    {
        int width = sums.Length;
        var batch = new float[width];
        for (int start = 0; start < rows.Length; start += width)
            TensorPrimitives.Add(batch, rows.Slice(start, width), batch);
        for (int i = 0; i < width; i++)
            sums[i] += batch[i];
    }
}
