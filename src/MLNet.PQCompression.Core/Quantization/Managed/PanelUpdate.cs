using System.Runtime.CompilerServices;
using MLNet.PQCompression.Inference.Kernels;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization.Managed;

/// <summary>How the gradients of rows follow a change of one of their blocks. Most searches change the codes of a few rows only, and no others are touched.</summary>
internal static unsafe class PanelUpdate
{
    /// <summary>R_r += Δ_r·H_b for the d rows H_b of a block (columns of the symmetric H) and the change Δ_r of that block in row r.</summary>
    /// <param name="level">The vectors to use.</param>
    /// <param name="columns">H from the block's first row on.</param>
    /// <param name="n">The length of a row of H.</param>
    /// <param name="d">The block size.</param>
    /// <param name="rows">The rows that change, each once.</param>
    /// <param name="changes">Δ, [rows.Length, d].</param>
    /// <param name="gradient">R, rows of n values.</param>
    /// <param name="stride">Distance between R's rows.</param>
    public static void Add(
        SimdLevel level, ReadOnlySpan<float> columns, int n, int d, ReadOnlySpan<int> rows, ReadOnlySpan<float> changes, Span<float> gradient, int stride)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns.Length, d * n, nameof(columns));
        ArgumentOutOfRangeException.ThrowIfLessThan(changes.Length, rows.Length * d, nameof(changes));
        foreach (int row in rows)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(row, nameof(rows));
            ArgumentOutOfRangeException.ThrowIfLessThan(gradient.Length, row * stride + n, nameof(gradient));
        }
        fixed (float* h = columns, delta = changes, r = gradient)
        fixed (int* row = rows)
            if (level == SimdLevel.Vector512)
                Add<Float512>(h, n, d, row, rows.Length, delta, r, stride);
            else
                Add<Float256>(h, n, d, row, rows.Length, delta, r, stride);
    }

    private static void Add<TVector>(float* h, int n, int d, int* rows, int count, float* delta, float* r, nint stride)
        where TVector : struct, IFloatVector<TVector>
    {
        int i = 0;
        for (; i + 4 <= count; i += 4)
            Add<TVector, Rows4>(h, n, d, delta + i * d, r + rows[i] * stride, r + rows[i + 1] * stride, r + rows[i + 2] * stride, r + rows[i + 3] * stride);
        for (; i + 2 <= count; i += 2)
            Add<TVector, Rows2>(h, n, d, delta + i * d, r + rows[i] * stride, r + rows[i + 1] * stride, null, null);
        for (; i < count; i++)
            Add<TVector, Rows1>(h, n, d, delta + i * d, r + rows[i] * stride, null, null, null);
    }

    /// <summary>Up to four rows of R by two registers each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add<TVector, TRows>(float* columns, int n, int d, float* change, float* r0, float* r1, float* r2, float* r3)
        where TVector : struct, IFloatVector<TVector>
        where TRows : struct, IRowCount
    {
        int width = TVector.Count, i = 0;
        for (; i + 2 * width <= n; i += 2 * width)
        {
            TVector a0 = TVector.Load(r0 + i), b0 = TVector.Load(r0 + i + width), a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default;
            if (TRows.Count > 1)
                (a1, b1) = (TVector.Load(r1 + i), TVector.Load(r1 + i + width));
            if (TRows.Count > 2)
            {
                (a2, b2) = (TVector.Load(r2 + i), TVector.Load(r2 + i + width));
                (a3, b3) = (TVector.Load(r3 + i), TVector.Load(r3 + i + width));
            }
            float* h = columns + i, delta = change;
            for (int j = 0; j < d; j++, h += n, delta++)
            {
                TVector x = TVector.Load(h), y = TVector.Load(h + width), s = TVector.Create(delta[0]);
                a0 = TVector.MultiplyAdd(x, s, a0);
                b0 = TVector.MultiplyAdd(y, s, b0);
                if (TRows.Count > 1)
                {
                    s = TVector.Create(delta[d]);
                    a1 = TVector.MultiplyAdd(x, s, a1);
                    b1 = TVector.MultiplyAdd(y, s, b1);
                }
                if (TRows.Count > 2)
                {
                    s = TVector.Create(delta[2 * d]);
                    a2 = TVector.MultiplyAdd(x, s, a2);
                    b2 = TVector.MultiplyAdd(y, s, b2);
                    s = TVector.Create(delta[3 * d]);
                    a3 = TVector.MultiplyAdd(x, s, a3);
                    b3 = TVector.MultiplyAdd(y, s, b3);
                }
            }
            a0.Store(r0 + i);
            b0.Store(r0 + i + width);
            if (TRows.Count > 1)
            {
                a1.Store(r1 + i);
                b1.Store(r1 + i + width);
            }
            if (TRows.Count > 2)
            {
                a2.Store(r2 + i);
                b2.Store(r2 + i + width);
                a3.Store(r3 + i);
                b3.Store(r3 + i + width);
            }
        }
        for (; i < n; i++)
            for (int j = 0; j < d; j++)
            {
                float h = columns[j * n + i];
                r0[i] += h * change[j];
                if (TRows.Count > 1)
                    r1[i] += h * change[d + j];
                if (TRows.Count > 2)
                {
                    r2[i] += h * change[2 * d + j];
                    r3[i] += h * change[3 * d + j];
                }
            }
    }
}
