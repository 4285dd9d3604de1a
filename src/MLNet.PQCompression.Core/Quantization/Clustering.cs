using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>The state of <see cref="WeightedKMeans"/>: blocks, codebook and codes, and the steps that change them.</summary>
internal sealed class Clustering
{
    private const int Lanes = NearestCodeword.Lanes;
    private const int PanelsPerPart = 16;

    private readonly int _d;
    private readonly int _count;
    private readonly double[]? _factor;
    private readonly float[] _blocks;
    private readonly float[] _queries;
    private readonly double[] _errors;
    private readonly KMeansOptions _options;
    private readonly Random _random;
    private readonly WorkerPool? _pool;

    public Clustering(ReadOnlySpan<float> blocks, int d, double[]? factor, ReadOnlySpan<float> codebook, KMeansOptions options, WorkerPool? pool)
    {
        (_d, _count, _factor, _options, _pool) = (d, blocks.Length / d, factor, options, pool);
        _random = new Random(options.Seed ^ 0x5f3759df);
        _blocks = blocks.ToArray();
        Codebook = codebook.ToArray();
        Codes = new ushort[_count];
        _errors = new double[_count];
        _queries = new float[(_count + Lanes - 1) / Lanes * d * Lanes];
        var v = new float[d];
        for (int i = 0; i < _count; i++)
        {
            Map(blocks.Slice(i * d, d), v);
            for (int j = 0; j < d; j++)
                _queries[(i / Lanes * d + j) * Lanes + i % Lanes] = -v[j];
        }
    }

    /// <summary>[k, d].</summary>
    public float[] Codebook { get; }

    /// <summary>One for each block.</summary>
    public ushort[] Codes { get; }

    private int Codewords => Codebook.Length / _d;

    /// <summary>E-step: gives each block its nearest codeword; returns the objective and how many codes changed.</summary>
    public (double Objective, int Reassigned) Assign()
    {
        var mapped = new float[Codebook.Length];
        var offsets = new float[Codewords];
        for (int c = 0; c < Codewords; c++)
        {
            Span<float> target = mapped.AsSpan(c * _d, _d);
            Map(Codebook.AsSpan(c * _d, _d), target);
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

    /// <summary>
    /// Gives every empty cluster blocks: the most populated cluster is split (the paper's way); where that fails a few times (all its blocks
    /// alike), the block with the largest error becomes the codeword. Returns the clusters filled.
    /// </summary>
    public int FillEmptyClusters()
    {
        var sizes = new int[Codewords];
        foreach (ushort code in Codes)
            sizes[code]++;
        int filled = 0;
        for (int empty = 0; empty < sizes.Length; empty++)
        {
            if (sizes[empty] > 0)
                continue;
            bool done = false;
            for (int attempt = 0; attempt < _options.MaxSplits && !done; attempt++)
                done = TrySplit(Array.IndexOf(sizes, sizes.Max()), empty, sizes);
            if (done || TryTakeFarthest(empty, sizes))
                filled++;
        }
        return filled;
    }

    /// <summary>M-step: each codeword becomes the mean of its blocks; a codeword without blocks stays.</summary>
    public void UpdateCodewords()
    {
        var sums = new double[Codebook.Length];
        var sizes = new int[Codewords];
        for (int i = 0; i < _count; i++)
        {
            int code = Codes[i];
            sizes[code]++;
            for (int j = 0; j < _d; j++)
                sums[code * _d + j] += _blocks[i * _d + j];
        }
        for (int c = 0; c < sizes.Length; c++)
            for (int j = 0; j < _d && sizes[c] > 0; j++)
                Codebook[c * _d + j] = (float)(sums[c * _d + j] / sizes[c]);
    }

    /// <summary>Σ(v − c)ᵀG(v − c) of the present codebook and codes.</summary>
    public double Objective()
    {
        double sum = 0;
        Span<float> e = stackalloc float[_d], mapped = stackalloc float[_d];
        for (int i = 0; i < _count; i++)
        {
            for (int j = 0; j < _d; j++)
                e[j] = _blocks[i * _d + j] - Codebook[Codes[i] * _d + j];
            Map(e, mapped);
            foreach (float x in mapped)
                sum += (double)x * x;
        }
        return sum;
    }

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
            if (Codes[block] != codes[lane])
                changed++;
            Codes[block] = (ushort)codes[lane];
        }
        return (objective, changed);
    }

    /// <summary>Cuts a cluster in two by a plane through its codeword, in a random direction in which its blocks are spread.</summary>
    private bool TrySplit(int big, int empty, int[] sizes)
    {
        Span<double> step = stackalloc double[_d];
        step.Clear();
        int[] members = [.. Enumerable.Range(0, _count).Where(i => Codes[i] == big)];
        foreach (int i in members)
            for (int j = 0; j < _d; j++)
                step[j] += Math.Pow(_blocks[i * _d + j] - Codebook[big * _d + j], 2);
        for (int j = 0; j < _d; j++)
            step[j] = Math.Sqrt(step[j]) * (_random.NextDouble() - 0.5);
        var moved = new List<int>();
        foreach (int i in members)
        {
            double side = 0;
            for (int j = 0; j < _d; j++)
                side += (_blocks[i * _d + j] - Codebook[big * _d + j]) * step[j];
            if (side > 0)
                moved.Add(i);
        }
        if (moved.Count == 0 || moved.Count == members.Length)
            return false;
        foreach (int i in moved)
            Codes[i] = (ushort)empty;
        sizes[empty] = moved.Count;
        sizes[big] -= moved.Count;
        return true;
    }

    private bool TryTakeFarthest(int empty, int[] sizes)
    {
        int farthest = -1;
        for (int i = 0; i < _count; i++)
            if (sizes[Codes[i]] > 1 && _errors[i] > 0 && (farthest < 0 || _errors[i] > _errors[farthest]))
                farthest = i;
        if (farthest < 0)
            return false;
        sizes[Codes[farthest]]--;
        sizes[empty] = 1;
        Codes[farthest] = (ushort)empty;
        _errors[farthest] = 0;
        return true;
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
