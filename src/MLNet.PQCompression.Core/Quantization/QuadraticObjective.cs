using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// The error of a layer's outputs as a quadratic form of its weight: f(Ŵ) = Σ_o s_o·(ŵ_o − w_o)ᵀH(ŵ_o − w_o), with one H for each group, rows o
/// of the weight and row weights s. Unlike the paper's objective it does not take the blocks of a row as independent.
/// </summary>
/// <remarks>Matrices over rows are kept transposed, [n][stride] with a group's rows padded to a multiple of 64 lanes; the padding is zero.</remarks>
public sealed class QuadraticObjective
{
    /// <summary>A group's rows are padded to a multiple of this.</summary>
    public const int RowAlignment = 64;

    /// <summary>How far codewords may lie beyond the largest target. Where inputs all but repeat each other, large codewords that cancel lower the error on the images, and on no others.</summary>
    private const float LargestReach = 4;

    /// <summary>Creates the objective of one layer.</summary>
    /// <param name="geometry">The layer.</param>
    /// <param name="hessians">H of each group, n×n, symmetric.</param>
    /// <param name="target">W, rows×n row-major.</param>
    /// <param name="rowWeights">s, one for each row.</param>
    /// <exception cref="NotFiniteNumberException">H or W is not finite.</exception>
    public QuadraticObjective(LayerGeometry geometry, float[][] hessians, ReadOnlySpan<float> target, float[] rowWeights)
    {
        ArgumentNullException.ThrowIfNull(geometry);
        ArgumentNullException.ThrowIfNull(hessians);
        ArgumentNullException.ThrowIfNull(rowWeights);
        (Geometry, Hessians) = (geometry, hessians);
        Reach = target.IsEmpty ? 0 : LargestReach * Math.Abs(System.Numerics.Tensors.TensorPrimitives.MaxMagnitude(target));
        if (!float.IsFinite(Reach) || !Array.TrueForAll(hessians, h => FiniteWeights.IsFinite(h)))
            throw new NotFiniteNumberException("the moments of its inputs, or the weights that they ask for, are not finite");
        (int n, int rows) = (geometry.RowLength, geometry.RowsPerGroup);
        Stride = (rows + RowAlignment - 1) / RowAlignment * RowAlignment;
        Targets = new float[geometry.Groups][];
        RowWeights = new float[geometry.Groups][];
        for (int g = 0; g < geometry.Groups; g++)
        {
            float[] transposed = Targets[g] = new float[n * Stride];
            for (int r = 0; r < rows; r++)
                for (int i = 0; i < n; i++)
                    transposed[i * Stride + r] = target[(g * rows + r) * n + i];
            RowWeights[g] = new float[Stride];
            rowWeights.AsSpan(g * rows, rows).CopyTo(RowWeights[g]);
        }
    }

    /// <summary>The layer.</summary>
    public LayerGeometry Geometry { get; }

    /// <summary>H of each group, n×n.</summary>
    public float[][] Hessians { get; }

    /// <summary>W of each group, [n][Stride].</summary>
    public float[][] Targets { get; }

    /// <summary>s of each group, Stride values, zero in the padding.</summary>
    public float[][] RowWeights { get; }

    /// <summary>The largest magnitude that a coordinate of a codeword may have: four times that of the targets.</summary>
    public float Reach { get; }

    /// <summary>The rows of a group, padded.</summary>
    public int Stride { get; }

    /// <summary>The objective of every <paramref name="step"/>th row of each group.</summary>
    internal QuadraticObjective BySome(int step)
    {
        if (step == 1)
            return this;
        int n = Geometry.RowLength, some = (Geometry.RowsPerGroup + step - 1) / step, rows = some * Geometry.Groups;
        float[] target = new float[rows * n], weights = new float[rows];
        for (int o = 0; o < rows; o++)
        {
            (int g, int r) = (o / some, o % some * step);
            weights[o] = RowWeights[g][r];
            for (int i = 0; i < n; i++)
                target[o * n + i] = Targets[g][i * Stride + r];
        }
        return new(Geometry with { Rows = rows }, Hessians, target, weights);
    }

    /// <summary>H·D of one group.</summary>
    public void Multiply(int group, float[] matrix, float[] product, WorkerPool? pool)
    {
        int n = Geometry.RowLength;
        MatrixProduct.Multiply(false, false, n, Stride, n, Hessians[group], n, matrix, Stride, 0, product, Stride, pool);
    }

    /// <summary>Σ s_o·aᵢₒ·bᵢₒ over a group's matrices, in double precision.</summary>
    public double WeightedDot(int group, ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        float[] weights = RowWeights[group];
        double sum = 0;
        for (int start = 0; start < a.Length; start += Stride)
        {
            float row = 0;
            for (int r = 0; r < Geometry.RowsPerGroup; r++)
                row += weights[r] * a[start + r] * b[start + r];
            sum += row;
        }
        return sum;
    }
}
