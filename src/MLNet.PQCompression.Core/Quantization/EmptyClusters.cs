namespace MLNet.PQCompression.Quantization;

/// <summary>Gives clusters without blocks some: the most populated cluster is split (the paper's way); where that fails a few times (all its blocks alike), the block with the largest error becomes the codeword.</summary>
/// <param name="blocks">N·d values, block after block.</param>
/// <param name="d">The block size.</param>
/// <param name="options">The seed of splits and how many may fail.</param>
internal sealed class EmptyClusters(ReadOnlyMemory<float> blocks, int d, KMeansOptions options)
{
    private readonly Random _random = new(options.Seed ^ 0x5f3759df);
    private ushort[] _codes = [];
    private double[] _errors = [];

    /// <summary>Fills those that the last assignment has left empty; returns how many were.</summary>
    public int Fill(IClusters clusters)
    {
        var sizes = new int[clusters.Codebook.Length / d];
        foreach (ushort code in clusters.Codes)
            sizes[code]++;
        if (!sizes.Contains(0))
            return 0;
        (_codes, _errors) = (clusters.Codes.ToArray(), clusters.Errors.ToArray());
        ReadOnlySpan<float> codebook = clusters.Codebook;
        int filled = 0, alike = -1;
        for (int empty = 0; empty < sizes.Length; empty++)
        {
            if (sizes[empty] > 0)
                continue;
            int big = Array.IndexOf(sizes, sizes.Max());
            bool done = false;
            for (int attempt = 0; attempt < options.MaxSplits && !done && big != alike; attempt++)
                done = TrySplit(codebook, big, empty, sizes);
            if (!done && big != alike && AreAlike(big))
                alike = big;
            if (done || TryTakeFarthest(empty, sizes))
                filled++;
            else if (big == alike)
                break; // Nothing to split and no error: so it stays for all that are empty.
        }
        clusters.SetCodes(_codes);
        return filled;
    }

    /// <summary>Whether all blocks of a cluster are the same, as are those of zeros in a pruned network.</summary>
    private bool AreAlike(int cluster)
    {
        ReadOnlySpan<float> all = blocks.Span, first = [];
        for (int i = 0; i < _codes.Length; i++)
        {
            if (_codes[i] != cluster)
                continue;
            ReadOnlySpan<float> block = all.Slice(i * d, d);
            if (first.IsEmpty)
                first = block;
            else if (!block.SequenceEqual(first))
                return false;
        }
        return true;
    }

    /// <summary>Cuts a cluster in two by a plane through its codeword, in a random direction in which its blocks are spread.</summary>
    private bool TrySplit(ReadOnlySpan<float> codebook, int big, int empty, int[] sizes)
    {
        Span<double> step = stackalloc double[d];
        step.Clear();
        ReadOnlySpan<float> all = blocks.Span;
        int[] members = [.. Enumerable.Range(0, _codes.Length).Where(i => _codes[i] == big)];
        foreach (int i in members)
            for (int j = 0; j < d; j++)
            {
                double difference = all[i * d + j] - codebook[big * d + j];
                step[j] += difference * difference;
            }
        for (int j = 0; j < d; j++)
            step[j] = Math.Sqrt(step[j]) * (_random.NextDouble() - 0.5);
        var moved = new List<int>();
        foreach (int i in members)
        {
            double side = 0;
            for (int j = 0; j < d; j++)
                side += (all[i * d + j] - codebook[big * d + j]) * step[j];
            if (side > 0)
                moved.Add(i);
        }
        if (moved.Count == 0 || moved.Count == members.Length)
            return false;
        foreach (int i in moved)
            _codes[i] = (ushort)empty;
        sizes[empty] = moved.Count;
        sizes[big] -= moved.Count;
        return true;
    }

    private bool TryTakeFarthest(int empty, int[] sizes)
    {
        int farthest = -1;
        for (int i = 0; i < _codes.Length; i++)
            if (sizes[_codes[i]] > 1 && _errors[i] > 0 && (farthest < 0 || _errors[i] > _errors[farthest]))
                farthest = i;
        if (farthest < 0)
            return false;
        sizes[_codes[farthest]]--;
        sizes[empty] = 1;
        _codes[farthest] = (ushort)empty;
        _errors[farthest] = 0;
        return true;
    }
}
