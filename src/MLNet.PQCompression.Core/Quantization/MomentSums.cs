using System.Numerics.Tensors;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>Sums over rows of a layer's inputs X and the outputs Y wanted for them, as differences from an origin: XᵀX, XᵀY and the sums of both.</summary>
/// <remarks>Memory: g·(n² + n·C_out/g) floats.</remarks>
internal sealed class MomentSums
{
    private readonly int _n, _width;
    private readonly SumOrigins _origins;
    private readonly double[][] _inputSums;
    private readonly double[] _outputSums, _count = new double[1];

    /// <summary>Empty sums for a layer.</summary>
    /// <param name="geometry">The layer.</param>
    /// <param name="origins">What the inputs and outputs of each group are differences from.</param>
    public MomentSums(LayerGeometry geometry, SumOrigins origins)
    {
        _origins = origins;
        (_n, _width) = (geometry.RowLength, geometry.RowsPerGroup);
        Inputs = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new float[checked(_n * _n)])];
        Products = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new float[checked(_n * _width)])];
        _inputSums = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new double[_n])];
        _outputSums = new double[geometry.Rows];
    }

    /// <summary>XᵀX of each group, n×n, of which only the diagonal and what is above it count; after <see cref="Average"/> its mean over the rows or their covariance, symmetric.</summary>
    public float[][] Inputs { get; private set; }

    /// <summary>XᵀY of each group, n×RowsPerGroup; after <see cref="Average"/> likewise.</summary>
    public float[][] Products { get; private set; }

    /// <summary>The rows added so far.</summary>
    public long Count => (long)_count[0];

    /// <summary>The sums of inputs, of outputs, and the rows.</summary>
    public IEnumerable<double[]> Doubles => [.. _inputSums, _outputSums, _count];

    /// <summary>The sum of input i of a group, as scaled differences.</summary>
    public double InputSum(int group, int i) => _inputSums[group][i];

    /// <summary>The sum of output o, as scaled differences.</summary>
    public double OutputSum(int o) => _outputSums[o];

    /// <summary>Adds rows of one group.</summary>
    /// <param name="group">The group.</param>
    /// <param name="count">The number of rows.</param>
    /// <param name="x">count×n inputs, moved to their origin.</param>
    /// <param name="y">count×RowsPerGroup outputs, likewise.</param>
    /// <param name="pool">The threads to share.</param>
    public void Add(int group, int count, ReadOnlySpan<float> x, ReadOnlySpan<float> y, WorkerPool? pool)
    {
        MatrixProduct.UpperRankUpdate(_n, count, x, _n, Inputs[group], _n, pool);
        MatrixProduct.Multiply(true, false, _n, _width, count, x, _n, y, _width, 1, Products[group], _width, pool);
        AddSums(x[..(count * _n)], _inputSums[group]);
        AddSums(y[..(count * _width)], _outputSums.AsSpan(group * _width, _width));
        if (group == 0)
            _count[0] += count;
    }

    /// <summary>Adds sums of one group that were made elsewhere.</summary>
    /// <param name="group">The group.</param>
    /// <param name="count">The rows in them.</param>
    /// <param name="inputs">XᵀX, n×n.</param>
    /// <param name="products">XᵀY, n×RowsPerGroup.</param>
    /// <param name="inputSums">Σx, like all of them of rows moved to their origins.</param>
    /// <param name="outputSums">Σy.</param>
    public void Add(int group, long count, ReadOnlySpan<float> inputs, ReadOnlySpan<float> products, ReadOnlySpan<double> inputSums, ReadOnlySpan<double> outputSums)
    {
        TensorPrimitives.Add(Inputs[group], inputs, Inputs[group]);
        TensorPrimitives.Add(Products[group], products, Products[group]);
        TensorPrimitives.Add(_inputSums[group], inputSums, _inputSums[group]);
        Span<double> outputs = _outputSums.AsSpan(group * _width, _width);
        TensorPrimitives.Add(outputs, outputSums, outputs);
        if (group == 0)
            _count[0] += count;
    }

    /// <summary>Makes XᵀX and XᵀY of a group their covariances, in place, or where means are not free their means over the rows about zero, in scaled units. No variance is negative.</summary>
    /// <param name="group">The group.</param>
    /// <param name="isCentered">Whether means are free: a shift of each output can be absorbed.</param>
    /// <param name="pool">The threads to share.</param>
    public void Average(int group, bool isCentered, WorkerPool? pool)
    {
        (float[] moments, float[] products, double count) = (Inputs[group], Products[group], Math.Max(1, Count));
        (RowOrigin inputOrigin, RowOrigin outputOrigin) = (_origins.Inputs[group], _origins.Outputs[group]);
        double[] inputs = [.. Enumerable.Range(0, _n).Select(i => InputSum(group, i) / count)];
        double[] outputs = [.. Enumerable.Range(0, _width).Select(r => OutputSum(group * _width + r) / count)];
        double[] inputMeans = [.. inputs.Select((m, i) => isCentered ? 0 : m + inputOrigin[i] * inputOrigin.Scale)];
        double[] outputMeans = [.. outputs.Select((m, r) => isCentered ? 0 : m + outputOrigin[r] * outputOrigin.Scale)];
        pool.RunParts(_n, i =>
        {
            for (int j = i; j < _n; j++)
                moments[i * _n + j] = (float)(moments[i * _n + j] / count - inputs[i] * inputs[j] + inputMeans[i] * inputMeans[j]);
            moments[i * _n + i] = Math.Max(0, moments[i * _n + i]);
            for (int r = 0; r < _width; r++)
                products[i * _width + r] = (float)(products[i * _width + r] / count - inputs[i] * outputs[r] + inputMeans[i] * outputMeans[r]);
        });
        MatrixProduct.MirrorUpper(_n, moments, _n, pool);
    }

    /// <summary>Takes other rows into a group's means or covariances, once both are averaged; sums and <see cref="Count"/> stay those of the own rows.</summary>
    /// <remarks>The covariance of all rows is the mean of both and, s being the share of the other rows, s(1 − s) times the product of what the means differ by.</remarks>
    public void Merge(MomentSums other, int group, bool isCentered, WorkerPool? pool)
    {
        double share = (double)other.Count / (Count + other.Count), between = isCentered && share is > 0 and < 1 ? share * (1 - share) : 0;
        (float[] moments, float[] products, float[] otherMoments, float[] otherProducts) = (Inputs[group], Products[group], other.Inputs[group], other.Products[group]);
        double Difference(Func<MomentSums, double> sum) => between == 0 ? 0 : sum(this) / Count - sum(other) / other.Count;
        double[] inputs = [.. Enumerable.Range(0, _n).Select(i => Difference(s => s.InputSum(group, i)))];
        double[] outputs = [.. Enumerable.Range(0, _width).Select(r => Difference(s => s.OutputSum(group * _width + r)))];
        pool.RunParts(_n, i =>
        {
            for (int j = 0; j < _n; j++)
                moments[i * _n + j] = (float)((1 - share) * moments[i * _n + j] + share * otherMoments[i * _n + j] + between * inputs[i] * inputs[j]);
            for (int r = 0; r < _width; r++)
                products[i * _width + r] = (float)((1 - share) * products[i * _width + r] + share * otherProducts[i * _width + r] + between * inputs[i] * outputs[r]);
        });
    }

    /// <summary>Gives the matrices back. Sums and <see cref="Count"/> stay.</summary>
    public void ReleaseMatrices() => (Inputs, Products) = ([], []);

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
