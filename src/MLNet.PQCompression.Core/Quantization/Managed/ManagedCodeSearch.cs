using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization.Managed;

/// <summary>The search on panels of 64 rows, shared among threads.</summary>
internal sealed class ManagedCodeSearch : ICodeSearch
{
    private readonly QuantizationState _state;
    private readonly CodebookSums _sums;
    private readonly WorkerPool? _pool;
    private PositionalKMeans? _positional;

    /// <summary>Takes a codebook over; all codes are 0.</summary>
    public ManagedCodeSearch(QuadraticObjective objective, int blockSize, float[] codebook, WorkerPool? pool)
    {
        LayerGeometry geometry = objective.Geometry;
        ushort[][] codes = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new ushort[geometry.RowLength / blockSize * objective.Stride])];
        (_state, _pool) = (new(objective, blockSize, codebook, codes), pool);
        _sums = new(_state, pool);
    }

    /// <summary>Goes on from a state.</summary>
    public ManagedCodeSearch(QuantizationState state, WorkerPool? pool)
    {
        (_state, _pool) = (state, pool);
        _sums = new(state, pool);
    }

    /// <inheritdoc/>
    public int BlockSize => _state.BlockSize;

    /// <inheritdoc/>
    public int BlocksPerRow => _state.BlocksPerRow;

    /// <inheritdoc/>
    public ReadOnlySpan<float> Codebook => _state.Codebook;

    private PositionalKMeans Positional => _positional ??= new(_state, _pool);

    /// <inheritdoc/>
    public void SetCodebook(ReadOnlySpan<float> values) => values.CopyTo(_state.Codebook);

    /// <inheritdoc/>
    public ushort[] RowMajorCodes() => _state.RowMajorCodes();

    /// <inheritdoc/>
    public int AssignByPosition() => Positional.Assign();

    /// <inheritdoc/>
    public double[] SumQueries() => Positional.Sum();

    /// <inheritdoc/>
    public double Refresh()
    {
        _sums.Release();
        Garbage.Collect();
        return _state.Refresh(_pool);
    }

    /// <inheritdoc/>
    public int Sweep(int[] order) => CoordinateDescent.Pass(_state, order, _pool);

    /// <inheritdoc/>
    public void Perturb(float temperature, ReadOnlySpan<int> seeds)
    {
        foreach (int seed in seeds)
        {
            CoordinateDescent.Perturb(_state, temperature, seed, _pool);
            Garbage.Collect();
        }
    }

    /// <inheritdoc/>
    public double[] SumGradient() => _sums.Gradient();

    /// <inheritdoc/>
    public double[] SumCurvature() => _sums.Curvature();

    /// <inheritdoc/>
    public double[] SumImage(double[] direction) => _sums.Image(direction);

    /// <inheritdoc/>
    public void Step(double[] direction, double length) => _sums.Step(direction, length);

    /// <inheritdoc/>
    public double Energy()
    {
        QuadraticObjective objective = _state.Objective;
        double energy = 0;
        for (int g = 0; g < objective.Targets.Length; g++)
        {
            var product = new float[objective.Targets[g].Length];
            objective.Multiply(g, objective.Targets[g], product, _pool);
            energy += objective.WeightedDot(g, objective.Targets[g], product);
        }
        return energy;
    }

    /// <inheritdoc/>
    public void Dispose() { }
}
