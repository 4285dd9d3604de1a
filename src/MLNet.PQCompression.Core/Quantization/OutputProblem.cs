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

    /// <summary>The gain of rows that are all but zero, relative to the mean. Rows of zeros have none.</summary>
    private const double SmallestGain = 1e-3;

    /// <summary>Rows are not scaled as a whole while their values are about 2⁻⁸ to 2⁸, which float16 holds well.</summary>
    private const int FreeExponent = 8;

    /// <summary>What float32 sums cannot tell from zero, relative to a variance.</summary>
    private const double Rounding = 1e-6;

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
    /// <param name="leastDamping">λ of the drift correction as a fraction of H's mean diagonal, at least.</param>
    /// <param name="isShrunk">Whether H is shrunk towards the identity by as much as the images differ (<see cref="CovarianceSpread"/>).</param>
    /// <param name="pool">The threads to share.</param>
    /// <param name="cancellationToken">Stops between two dampings.</param>
    /// <exception cref="NotFiniteNumberException">The moments are not finite.</exception>
    public OutputProblem(
        OutputStatistics statistics, ReadOnlySpan<float> weight, bool isCentered, bool isScaled, float[] rowWeights, double leastDamping, bool isShrunk, WorkerPool? pool,
        CancellationToken cancellationToken = default)
    {
        _isScaled = isScaled;
        _statistics = statistics;
        LayerGeometry geometry = statistics.Geometry;
        (MomentSums first, MomentSums second) = (statistics.Halves[0], statistics.Halves[1]);
        _products = first.Products;
        (int n, int length) = (geometry.RowLength, geometry.RowsPerGroup * geometry.RowLength);
        int step = DriftCorrection.TrialStep(geometry.RowsPerGroup);
        var halves = new (DriftCorrection First, DriftCorrection Second)[geometry.Groups];
        for (int g = 0; g < geometry.Groups; g++)
        {
            first.Average(g, isCentered, pool);
            second.Average(g, isCentered, pool);
            ReadOnlySpan<float> own = weight.Slice(g * length, length);
            halves[g] = (DriftCorrection.BySome(step, first.Inputs[g], first.Products[g], own, n, pool), DriftCorrection.BySome(step, second.Inputs[g], second.Products[g], own, n, pool));
        }
        float[] trialWeights = [.. rowWeights.Where((_, o) => o % geometry.RowsPerGroup % step == 0)];
        double damping = first.Count > 0 && second.Count > 0 ? DriftCorrection.ChooseDamping(halves, trialWeights, leastDamping, cancellationToken) : leastDamping;
        float[] target = weight.ToArray();
        for (int g = 0; g < geometry.Groups; g++)
        {
            first.Merge(second, g, isCentered, pool);
            float[] hessian = first.Inputs[g];
            ReadOnlySpan<float> own = weight.Slice(g * length, length);
            Shrink(hessian, _products[g], own, geometry, isShrunk ? statistics.Spreads[g].Shrinkage(hessian) : 0);
            float[] change = new DriftCorrection(hessian, _products[g], own, n, pool).Solve(damping, second.Inputs[g]);
            for (int i = 0; i < length; i++)
                target[g * length + i] += change[i % n * geometry.RowsPerGroup + i / n];
        }
        second.ReleaseMatrices();
        Garbage.Collect(); // The second half, before there is more.
        (_gains, double unit) = isScaled ? TakeGains(target, geometry) : ([.. Enumerable.Repeat(1.0, geometry.Rows)], 1);
        Objective = new(geometry, first.Inputs, target, [.. rowWeights.Select((s, o) => (float)(s * Math.Pow(_gains[o] / unit, 2)))]);
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
            double[] means = [.. Enumerable.Range(0, n).Select(i => _statistics.InputMean(g, i))];
            for (int r = 0; r < rows; r++)
            {
                double covariance = 0, variance = 0, mean = 0;
                for (int i = 0; i < n; i++)
                {
                    double w = weight[r * n + i];
                    covariance += w * _products[g][i * rows + r];
                    variance += w * image[r * n + i];
                    mean += w * means[i];
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
    /// H + Λ and XᵀY + ΛWᵀ with Λ diagonal: as if besides the images there were inputs of white noise on which the teacher's weight acts. λ = m·ρ/(1 − ρ), m the mean of H's diagonal, where few images
    /// leave directions of the inputs all but unseen: errors there are no longer free. And as much for each input as rounding leaves unknown, so that H is positive definite though inputs are
    /// constant or equal each other; where none varies at all H becomes the identity, and the weights themselves are matched.
    /// </summary>
    private static void Shrink(float[] hessian, float[] products, ReadOnlySpan<float> weight, LayerGeometry geometry, double shrinkage)
    {
        (int n, int rows) = (geometry.RowLength, geometry.RowsPerGroup);
        double mean = DriftCorrection.MeanDiagonal(hessian, n);
        if (!double.IsFinite(mean))
            throw new NotFiniteNumberException("the second moments of its inputs are not finite");
        double ridge = mean > 0 ? mean * shrinkage / Math.Max(1 - shrinkage, 1e-3) + mean * Rounding : 1;
        for (int i = 0; i < n; i++)
        {
            var own = (float)(ridge + hessian[i * n + i] * Rounding);
            hessian[i * n + i] += own;
            for (int r = 0; r < rows; r++)
                products[i * rows + r] += own * weight[r * n + i];
        }
    }

    /// <summary>
    /// Divides each row by its length relative to the mean row's, so that codewords need not tell rows of different lengths apart, and all rows by a power of two where float16 would not hold them well.
    /// </summary>
    /// <returns>What the rows were divided by, and the power of two.</returns>
    private static (double[] Gains, double Unit) TakeGains(Span<float> target, LayerGeometry geometry)
    {
        int n = geometry.RowLength;
        var gains = new double[geometry.Rows];
        for (int o = 0; o < gains.Length; o++)
            gains[o] = Length(target.Slice(o * n, n));
        double mean = gains.Average();
        if (!(mean > 0 && double.IsFinite(mean)))
            return ([.. Enumerable.Repeat(1.0, gains.Length)], 1);
        int exponent = Math.ILogB(mean / Math.Sqrt(n));
        double unit = Math.Abs(exponent) <= FreeExponent ? 1 : Math.ScaleB(1, exponent);
        for (int o = 0; o < gains.Length; o++)
        {
            if (gains[o] == 0)
                continue;
            gains[o] = Math.Max(gains[o] / mean, SmallestGain) * unit;
            Span<float> row = target.Slice(o * n, n);
            System.Numerics.Tensors.TensorPrimitives.Divide(row, (float)gains[o], row);
        }
        return (gains, unit);
    }

    private static double Length(ReadOnlySpan<float> row)
    {
        double square = 0;
        foreach (float w in row)
            square += (double)w * w;
        return Math.Sqrt(square);
    }
}
