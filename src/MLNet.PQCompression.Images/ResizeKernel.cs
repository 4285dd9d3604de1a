namespace MLNet.PQCompression.Images;

/// <summary>The weights by which one line of pixels is resampled: a triangle filter whose support grows with the ratio when it shrinks
/// (antialiasing), in fixed point of 22 bits, as PIL computes them.</summary>
internal sealed class ResizeKernel
{
    /// <summary>Fractional bits of a weight.</summary>
    public const int FractionBits = 32 - 8 - 2;

    private readonly int[] _first;
    private readonly int[] _count;
    private readonly int[] _weights;

    /// <summary>Computes the weights for a line of <paramref name="source"/> pixels that becomes <paramref name="target"/> pixels.</summary>
    public ResizeKernel(int source, int target)
    {
        double scale = (double)source / target, filterScale = Math.Max(scale, 1.0);
        Taps = (int)Math.Ceiling(filterScale) * 2 + 1;
        _first = new int[target];
        _count = new int[target];
        _weights = new int[(long)target * Taps];
        Span<double> line = Taps <= 256 ? stackalloc double[Taps] : new double[Taps];
        for (int i = 0; i < target; i++)
        {
            double center = (i + 0.5) * scale, total = 0;
            int first = Math.Max(0, (int)(center - filterScale + 0.5));
            int count = Math.Min(source, (int)(center + filterScale + 0.5)) - first;
            for (int j = 0; j < count; j++)
                total += line[j] = Math.Max(0, 1 - Math.Abs((j + first - center + 0.5) / filterScale));
            for (int j = 0; j < count; j++)
                _weights[i * Taps + j] = (int)Math.Floor(line[j] / total * (1 << FractionBits) + 0.5);
            _first[i] = first;
            _count[i] = count;
        }
    }

    /// <summary>The most weights that a target pixel has.</summary>
    public int Taps { get; }

    /// <summary>The first source pixel that target pixel <paramref name="index"/> is made of, and the weights from there on.</summary>
    public ReadOnlySpan<int> Weights(int index, out int first)
    {
        first = _first[index];
        return _weights.AsSpan(index * Taps, _count[index]);
    }
}
