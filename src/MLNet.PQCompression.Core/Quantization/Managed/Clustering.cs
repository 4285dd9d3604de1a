using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization.Managed;

/// <summary>The steps of <see cref="WeightedKMeans"/> on panels of 64 blocks, shared among threads.</summary>
internal sealed class Clustering : IClusters
{
    private const int Lanes = NearestCodeword.Lanes;
    private const int PanelsPerPart = 16;

    private readonly int _d;
    private readonly int _count;
    private readonly double[]? _factor;
    private readonly ReadOnlyMemory<float> _blocks;
    private readonly float[] _codebook;
    private readonly ushort[] _codes;
    private readonly float[] _queries;
    private readonly double[] _errors;
    private readonly WorkerPool? _pool;

    /// <summary>Maps the blocks.</summary>
    public Clustering(ReadOnlyMemory<float> blocks, int d, double[]? factor, ReadOnlySpan<float> codebook, WorkerPool? pool)
    {
        (_d, _count, _factor, _pool, _blocks) = (d, blocks.Length / d, factor, pool, blocks);
        _codebook = codebook.ToArray();
        _codes = new ushort[_count];
        _errors = new double[_count];
        _queries = new float[(_count + Lanes - 1) / Lanes * d * Lanes];
        var v = new float[d];
        for (int i = 0; i < _count; i++)
        {
            Map(blocks.Span.Slice(i * d, d), v);
            for (int j = 0; j < d; j++)
                _queries[(i / Lanes * d + j) * Lanes + i % Lanes] = -v[j];
        }
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Codebook => _codebook;

    /// <inheritdoc/>
    public ReadOnlySpan<ushort> Codes => _codes;

    /// <inheritdoc/>
    public ReadOnlySpan<double> Errors => _errors;

    private int Codewords => _codebook.Length / _d;

    /// <inheritdoc/>
    public (double Objective, int Reassigned) Assign()
    {
        var mapped = new float[_codebook.Length];
        var offsets = new float[Codewords];
        for (int c = 0; c < Codewords; c++)
        {
            Span<float> target = mapped.AsSpan(c * _d, _d);
            Map(_codebook.AsSpan(c * _d, _d), target);
            double square = 0;
            foreach (float x in target)
                square += (double)x * x;
            offsets[c] = (float)(square / 2);
        }
        int panels = (_count + Lanes - 1) / Lanes, parts = (panels + PanelsPerPart - 1) / PanelsPerPart;
        var objectives = new double[parts];
        var changes = new int[parts];
        _pool.RunParts(parts, part =>
        {
            for (int panel = part * PanelsPerPart; panel < Math.Min(panels, (part + 1) * PanelsPerPart); panel++)
            {
                (double objective, int changed) = AssignPanel(panel, mapped, offsets);
                objectives[part] += objective;
                changes[part] += changed;
            }
        });
        return (objectives.Sum(), changes.Sum());
    }

    /// <inheritdoc/>
    public void SetCodes(ReadOnlySpan<ushort> codes) => codes.CopyTo(_codes);

    /// <inheritdoc/>
    public void UpdateCodewords()
    {
        ReadOnlySpan<float> blocks = _blocks.Span;
        var sums = new double[_codebook.Length];
        var sizes = new int[Codewords];
        for (int i = 0; i < _count; i++)
        {
            int code = _codes[i];
            sizes[code]++;
            for (int j = 0; j < _d; j++)
                sums[code * _d + j] += blocks[i * _d + j];
        }
        for (int c = 0; c < sizes.Length; c++)
            for (int j = 0; j < _d && sizes[c] > 0; j++)
                _codebook[c * _d + j] = (float)(sums[c * _d + j] / sizes[c]);
    }

    /// <inheritdoc/>
    public double Objective()
    {
        ReadOnlySpan<float> blocks = _blocks.Span;
        double sum = 0;
        Span<float> e = stackalloc float[_d], mapped = stackalloc float[_d];
        for (int i = 0; i < _count; i++)
        {
            for (int j = 0; j < _d; j++)
                e[j] = blocks[i * _d + j] - _codebook[_codes[i] * _d + j];
            Map(e, mapped);
            foreach (float x in mapped)
                sum += (double)x * x;
        }
        return sum;
    }

    /// <inheritdoc/>
    public void Dispose() { }

    private (double Objective, int Changed) AssignPanel(int panel, float[] mapped, float[] offsets)
    {
        Span<int> codes = stackalloc int[Lanes];
        Span<float> scores = stackalloc float[Lanes];
        ReadOnlySpan<float> queries = _queries.AsSpan(panel * _d * Lanes, _d * Lanes);
        NearestCodeword.Search(queries, _d, mapped, offsets, codes, scores);
        double objective = 0;
        int changed = 0;
        for (int lane = 0; lane < Math.Min(Lanes, _count - panel * Lanes); lane++)
        {
            int block = panel * Lanes + lane;
            double error = 0;
            for (int j = 0; j < _d; j++)
            {
                double e = (double)queries[j * Lanes + lane] + mapped[codes[lane] * _d + j];
                error += e * e;
            }
            _errors[block] = error;
            objective += error;
            if (_codes[block] != codes[lane])
                changed++;
            _codes[block] = (ushort)codes[lane];
        }
        return (objective, changed);
    }

    /// <summary>Lᵀv, or v where there is no Gram matrix.</summary>
    private void Map(ReadOnlySpan<float> v, Span<float> mapped)
    {
        for (int i = 0; i < _d; i++)
        {
            double sum = _factor is null ? v[i] : 0;
            for (int p = i; _factor is not null && p < _d; p++)
                sum += _factor[p * _d + i] * v[p];
            mapped[i] = (float)sum;
        }
    }
}
