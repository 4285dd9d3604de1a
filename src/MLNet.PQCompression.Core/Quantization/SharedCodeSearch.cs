using System.Runtime.InteropServices;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>A search whose rows lie on several ranks, as rank 0 drives it.</summary>
internal sealed class SharedCodeSearch : ICodeSearch
{
    private readonly RowSearches _rows;
    private readonly float[] _codebook;
    private readonly int _id;

    /// <summary>Starts it on all ranks.</summary>
    /// <param name="rows">The rows of all ranks.</param>
    /// <param name="id">A number that tells it from others of these rows.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="blocksPerRow">m.</param>
    /// <param name="codebook">[k, d].</param>
    public SharedCodeSearch(RowSearches rows, int id, int blockSize, int blocksPerRow, ReadOnlySpan<float> codebook)
    {
        (_rows, _id, BlockSize, BlocksPerRow, _codebook) = (rows, id, blockSize, blocksPerRow, codebook.ToArray());
        rows.Lead(RowCommand.Start, id, MemoryMarshal.AsBytes(codebook));
    }

    /// <inheritdoc/>
    public int BlockSize { get; }

    /// <inheritdoc/>
    public int BlocksPerRow { get; }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Codebook => _codebook;

    /// <inheritdoc/>
    public void SetCodebook(ReadOnlySpan<float> values)
    {
        values.CopyTo(_codebook);
        _rows.Lead(RowCommand.SetCodebook, _id, MemoryMarshal.AsBytes(values));
    }

    /// <inheritdoc/>
    public ushort[] RowMajorCodes() => _rows.Codes(_id, BlocksPerRow);

    /// <inheritdoc/>
    public int AssignByPosition() => (int)_rows.Lead(RowCommand.Assign, _id)[0];

    /// <inheritdoc/>
    public double Refresh() => _rows.Lead(RowCommand.Refresh, _id)[0];

    /// <inheritdoc/>
    public int Sweep(int[] order) => (int)_rows.Lead(RowCommand.Sweep, _id, MemoryMarshal.AsBytes(order.AsSpan()))[0];

    /// <inheritdoc/>
    public void Perturb(float temperature, ReadOnlySpan<int> seeds)
    {
        int[] data = [BitConverter.SingleToInt32Bits(temperature), .. seeds];
        _rows.Lead(RowCommand.Perturb, _id, MemoryMarshal.AsBytes(data.AsSpan()));
    }

    /// <inheritdoc/>
    public double[] SumQueries() => Sum(RowCommand.Queries, _codebook.Length);

    /// <inheritdoc/>
    public double[] SumGradient() => Sum(RowCommand.Gradient, _codebook.Length);

    /// <inheritdoc/>
    public double[] SumCurvature() => Sum(RowCommand.Curvature, _codebook.Length * BlockSize);

    /// <inheritdoc/>
    public double[] SumImage(double[] direction) => _rows.Lead(RowCommand.Image, _id, MemoryMarshal.AsBytes(direction.AsSpan()));

    /// <inheritdoc/>
    public void Step(double[] direction, double length)
    {
        for (int i = 0; i < _codebook.Length; i++)
            _codebook[i] += (float)(length * direction[i]);
        double[] data = [length, .. direction];
        _rows.Lead(RowCommand.Step, _id, MemoryMarshal.AsBytes(data.AsSpan()));
    }

    /// <inheritdoc/>
    public double Energy() => _rows.Lead(RowCommand.Energy, _id)[0];

    /// <inheritdoc/>
    public void Dispose() => _rows.Lead(RowCommand.Drop, _id);

    private double[] Sum(RowCommand command, int length)
    {
        Span<int> data = stackalloc int[] { length };
        return _rows.Lead(command, _id, MemoryMarshal.AsBytes(data));
    }
}

/// <summary>A backend whose searches are shared by rows; rank 0 has it, and the other ranks follow.</summary>
internal sealed class SharedSearchBackend(IQuantizationBackend own, RowSearches rows) : IQuantizationBackend
{
    private int _searches;

    /// <inheritdoc/>
    public WorkerPool? Workers => own.Workers;

    /// <inheritdoc/>
    public IMoments Moments(LayerGeometry geometry, int views, SumOrigins? origins = null) => own.Moments(geometry, views, origins);

    /// <inheritdoc/>
    public IGram Gram(LayerGeometry geometry, int blockSize, float? scale = null) => own.Gram(geometry, blockSize, scale);

    /// <inheritdoc/>
    public IClusters Clusters(ReadOnlyMemory<float> blocks, int blockSize, double[]? factor, ReadOnlySpan<float> codebook) => own.Clusters(blocks, blockSize, factor, codebook);

    /// <inheritdoc/>
    public ICodeSearch Search(QuadraticObjective objective, int blockSize, ReadOnlySpan<float> codebook) =>
        new SharedCodeSearch(rows, _searches++, blockSize, objective.Geometry.RowLength / blockSize, codebook);
}
