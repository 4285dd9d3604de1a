using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// The point about which a layer's rows are summed, about their mean, and the power of two they are scaled by. Sums of squares about a point far from the mean lose the variance to
/// rounding: a constant input would get a negative one. About this point it gets exactly zero. Scaled, neither squares of 1e20 nor of 1e-25 leave the range of float32.
/// </summary>
/// <param name="length">The values of a row.</param>
internal sealed class RowOrigin(int length)
{
    /// <summary>Magnitudes between 2⁻²⁰ and 2²⁰ need no scale.</summary>
    private const int FreeExponent = 20;

    private const int RowsPerPart = 256;

    private readonly float[] _values = new float[length];
    private bool _isSet;

    /// <summary>The power of two by which differences from the origin are multiplied.</summary>
    public float Scale { get; private set; } = 1;

    /// <summary>The origin, not scaled.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>Value i of the origin, not scaled.</summary>
    public double this[int i] => _values[i];

    /// <summary>Makes the mean of the first rows the origin; later calls do nothing.</summary>
    /// <param name="rows">Whole rows.</param>
    /// <param name="scale">The power of two, or null for one that suits the rows.</param>
    public void Set(ReadOnlySpan<float> rows, float? scale = null)
    {
        if (_isSet || rows.IsEmpty)
            return;
        var sums = new double[length];
        for (int start = 0; start < rows.Length; start += length)
            for (int i = 0; i < length; i++)
                sums[i] += rows[start + i];
        for (int i = 0; i < length; i++)
            _values[i] = (float)(sums[i] * length / rows.Length);
        Scale = scale ?? ScaleFor(rows);
        _isSet = true;
    }

    /// <summary>Gives all ranks the origin that one of them has set.</summary>
    /// <param name="ranks">The ranks; all of them call.</param>
    /// <param name="from">The rank that has it.</param>
    public void Share(ICollective ranks, int from)
    {
        float[] state = [.. _values, Scale];
        ranks.Broadcast(MemoryMarshal.AsBytes(state.AsSpan()), from);
        state.AsSpan(0, length).CopyTo(_values);
        (Scale, _isSet) = (state[length], true);
    }

    /// <summary>Makes rows their scaled differences from the origin, in place.</summary>
    public void Move(Memory<float> rows, WorkerPool? pool)
    {
        int count = rows.Length / length;
        pool.RunParts((count + RowsPerPart - 1) / RowsPerPart, part =>
        {
            Span<float> own = rows.Span[(part * RowsPerPart * length)..(Math.Min(count, (part + 1) * RowsPerPart) * length)];
            for (int start = 0; start < own.Length; start += length)
                TensorPrimitives.Subtract(own.Slice(start, length), _values, own.Slice(start, length));
            if (Scale != 1)
                TensorPrimitives.Multiply(own, Scale, own);
        });
    }

    /// <summary>The power of two that brings the largest magnitude near 1; 1 where it is between 2⁻²⁰ and 2²⁰, zero or not finite.</summary>
    public static float ScaleFor(ReadOnlySpan<float> values)
    {
        float largest = values.IsEmpty ? 0 : Math.Abs(TensorPrimitives.MaxMagnitude(values));
        if (largest == 0 || !float.IsFinite(largest))
            return 1;
        int exponent = Math.ILogB(largest);
        return Math.Abs(exponent) <= FreeExponent ? 1 : MathF.ScaleB(1, Math.Clamp(-exponent, -126, 126));
    }
}
