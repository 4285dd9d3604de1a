using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// The least-squares problem of one layer: find weights, and where it can be absorbed an affine map of each output, that reproduce the teacher's
/// outputs from the student's inputs.
/// </summary>
/// <remarks>
/// With a shift c_o free for each output, only the inputs' covariance matters: the mean of the inputs, often the largest direction of XᵀX behind
/// a ReLU, costs nothing. The target is not the teacher's weight but the ridge regression of the teacher's outputs on the student's inputs,
/// W' = W + (H + λI)⁻¹(XᵀY − HW), which undoes part of the drift that lower layers caused. With a scale a_o free as well, rows are brought to
/// one length before they are quantized.
/// </remarks>
internal sealed class OutputProblem
{
    /// <summary>How far a fitted scale may lie from a row's gain.</summary>
    private const double LargestRescale = 2;

    /// <summary>The gain of rows that are all but zero, relative to the mean.</summary>
    private const double SmallestGain = 1e-3;

    private readonly OutputStatistics _statistics;
    private readonly float[][] _products;
    private readonly double[] _gains;
    private readonly bool _isScaled;

    /// <summary>Works H and the target out. The statistics' moments are overwritten.</summary>
    /// <param name="statistics">The moments of inputs and outputs.</param>
    /// <param name="weight">The teacher's weight, rows×n.</param>
    /// <param name="isCentered">Whether a shift of each output can be absorbed.</param>
    /// <param name="isScaled">Whether a scale of each output can be absorbed.</param>
    /// <param name="rowWeights">How much each output's errors weigh.</param>
    /// <param name="damping">λ as a fraction of H's mean diagonal.</param>
    /// <param name="isShrunk">Whether H is shrunk towards the identity by as much as the images differ (<see cref="CovarianceSpread"/>).</param>
    /// <param name="pool">The threads to share.</param>
    public OutputProblem(
        OutputStatistics statistics, ReadOnlySpan<float> weight, bool isCentered, bool isScaled, float[] rowWeights, double damping, bool isShrunk, WorkerPool? pool)
    {
        _isScaled = isScaled;
        _statistics = statistics;
        LayerGeometry geometry = statistics.Geometry;
        _products = new float[geometry.Groups][];
        var target = new float[weight.Length];
        for (int g = 0; g < geometry.Groups; g++)
        {
            (statistics.Moments[g], _products[g]) = Normalize(statistics, g, isCentered, pool);
            int length = geometry.RowsPerGroup * geometry.RowLength;
            if (isShrunk)
                Shrink(statistics.Moments[g], _products[g], weight.Slice(g * length, length), geometry, statistics.Spreads[g].Shrinkage(statistics.Moments[g]));
            CorrectDrift(statistics.Moments[g], _products[g], weight.Slice(g * length, length), geometry, damping, target.AsSpan(g * length, length), pool);
        }
        _gains = isScaled ? TakeGains(target, geometry) : [.. Enumerable.Repeat(1.0, geometry.Rows)];
        Objective = new(geometry, statistics.Moments, target, [.. rowWeights.Select((s, o) => (float)(s * _gains[o] * _gains[o]))]);
    }

    /// <summary>The error as a function of the weight.</summary>
    public QuadraticObjective Objective { get; }

    /// <summary>For a quantized weight the a and c of each output that make a·ŷ + c nearest to the teacher's.</summary>
    /// <param name="codebook">[k, d].</param>
    /// <param name="codes">[rows, m].</param>
    /// <param name="pool">The threads to share.</param>
    public (double[] Scale, double[] Shift) FitOutputs(float[] codebook, ushort[] codes, WorkerPool? pool)
    {
        LayerGeometry geometry = Objective.Geometry;
        (int n, int rows) = (geometry.RowLength, geometry.RowsPerGroup);
        int d = n / (codes.Length / geometry.Rows);
        var scale = new double[geometry.Rows];
        var shift = new double[geometry.Rows];
        var weight = new float[rows * n];
        var image = new float[rows * n];
        for (int g = 0; g < geometry.Groups; g++)
        {
            for (int i = 0; i < weight.Length; i++)
                weight[i] = codebook[codes[(g * rows * n + i) / d] * d + i % d];
            MatrixProduct.Multiply(false, false, rows, n, n, weight, n, Objective.Hessians[g], n, 0, image, n, pool);
            for (int r = 0; r < rows; r++)
            {
                double covariance = 0, variance = 0, mean = 0;
                for (int i = 0; i < n; i++)
                {
                    double w = weight[r * n + i];
                    covariance += w * _products[g][i * rows + r];
                    variance += w * image[r * n + i];
                    mean += w * _statistics.InputMean(g, i);
                }
                int o = g * rows + r;
                double fitted = _isScaled && variance > 0 && covariance > 0 ? covariance / variance : _gains[o];
                scale[o] = Math.Clamp(fitted, _gains[o] / LargestRescale, _gains[o] * LargestRescale);
                shift[o] = _statistics.OutputMean(o) - scale[o] * mean;
            }
        }
        return (scale, shift);
    }

    /// <summary>
    /// H + λI and XᵀY + λWᵀ with λ = m·ρ/(1 − ρ), m the mean of H's diagonal: as if besides the images there were inputs of white noise on which the teacher's weight acts. Where few images leave
    /// directions of the inputs all but unseen, errors there are no longer free.
    /// </summary>
    private static void Shrink(float[] hessian, float[] products, ReadOnlySpan<float> weight, LayerGeometry geometry, double shrinkage)
    {
        (int n, int rows) = (geometry.RowLength, geometry.RowsPerGroup);
        double mean = MeanDiagonal(hessian, n);
        var ridge = (float)(mean * shrinkage / Math.Max(1 - shrinkage, 1e-3));
        for (int i = 0; i < n; i++)
        {
            hessian[i * n + i] += ridge;
            for (int r = 0; r < rows; r++)
                products[i * rows + r] += ridge * weight[r * n + i];
        }
    }

    private static double MeanDiagonal(float[] hessian, int n)
    {
        double mean = 0;
        for (int i = 0; i < n; i++)
            mean += hessian[i * n + i] / n;
        return mean;
    }

    /// <summary>Divides each row by its length relative to the mean row's, so that codewords need not tell rows of different lengths apart.</summary>
    private static double[] TakeGains(Span<float> target, LayerGeometry geometry)
    {
        int n = geometry.RowLength;
        var gains = new double[geometry.Rows];
        for (int o = 0; o < gains.Length; o++)
            gains[o] = System.Numerics.Tensors.TensorPrimitives.Norm(target.Slice(o * n, n));
        double mean = gains.Average();
        for (int o = 0; o < gains.Length; o++)
        {
            gains[o] = mean > 0 ? Math.Max(gains[o] / mean, SmallestGain) : 1;
            Span<float> row = target.Slice(o * n, n);
            System.Numerics.Tensors.TensorPrimitives.Divide(row, (float)gains[o], row);
        }
        return gains;
    }

    /// <summary>H = XᵀX/N and XᵀY/N, less the means where they are free.</summary>
    private static (float[] Hessian, float[] Products) Normalize(OutputStatistics statistics, int group, bool isCentered, WorkerPool? pool)
    {
        (int n, int rows) = (statistics.Geometry.RowLength, statistics.Geometry.RowsPerGroup);
        (float[] moments, float[] products) = (statistics.Moments[group], statistics.Products[group]);
        double count = statistics.Count;
        pool.RunParts(n, i =>
        {
            double mean = isCentered ? statistics.InputMean(group, i) : 0;
            for (int j = 0; j < n; j++)
                moments[i * n + j] = (float)(moments[i * n + j] / count - mean * (isCentered ? statistics.InputMean(group, j) : 0));
            for (int r = 0; r < rows; r++)
                products[i * rows + r] = (float)(products[i * rows + r] / count - mean * statistics.OutputMean(group * rows + r));
        });
        return (moments, products);
    }

    private static void CorrectDrift(
        float[] hessian, float[] products, ReadOnlySpan<float> weight, LayerGeometry geometry, double damping, Span<float> target, WorkerPool? pool)
    {
        (int n, int rows) = (geometry.RowLength, geometry.RowsPerGroup);
        weight.CopyTo(target);
        double mean = MeanDiagonal(hessian, n);
        if (!(mean > 0))
            return;
        var change = new float[n * rows]; // XᵀY − H·Wᵀ
        MatrixProduct.Multiply(false, true, n, rows, n, hessian, n, weight, n, 0, change, rows, pool);
        for (int i = 0; i < change.Length; i++)
            change[i] = products[i] - change[i];
        var factor = new float[hessian.Length];
        for (double lambda = damping; ; lambda = Math.Max(lambda * 10, 1e-6))
        {
            hessian.CopyTo(factor.AsSpan());
            for (int i = 0; i < n; i++)
                factor[i * n + i] += (float)(lambda * mean);
            if (Cholesky.TryFactor(factor, n, pool))
                break;
        }
        Cholesky.Solve(factor, n, change, rows, pool);
        for (int r = 0; r < rows; r++)
            for (int i = 0; i < n; i++)
                target[r * n + i] += change[i * rows + r];
    }
}
