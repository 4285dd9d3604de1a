using System.Numerics.Tensors;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// The ridge regression of the teacher's outputs on the student's inputs, as a change of the teacher's weight: Δ = (H + λmI)⁻¹(XᵀY − HWᵀ), with m the mean of H's diagonal. It undoes part of
/// the drift that lower layers caused.
/// </summary>
internal sealed class DriftCorrection
{
    /// <summary>Above this damping next to nothing is left of the correction.</summary>
    private const double LargestDamping = 30;

    /// <summary>From one damping that is tried to the next.</summary>
    private const double TrialFactor = 10;

    /// <summary>The share of the best damping's gain that a smaller one must have.</summary>
    private const double SharedGain = 0.95;

    private readonly int _n, _rows;
    private readonly float[] _hessian;
    private readonly float[] _residual;
    private readonly double _mean;
    private readonly WorkerPool? _pool;

    /// <summary>The outputs that are asked for a damping, of layers that have more; fewer than twice as many, since they are spread evenly.</summary>
    private const int TrialOutputs = 128;

    /// <summary>The problem of one group.</summary>
    /// <param name="hessian">H, n×n.</param>
    /// <param name="products">XᵀY, n×rows.</param>
    /// <param name="weight">W, rows×n.</param>
    /// <param name="n">The length of a row of the weight.</param>
    /// <param name="pool">The threads to share.</param>
    public DriftCorrection(float[] hessian, float[] products, ReadOnlySpan<float> weight, int n, WorkerPool? pool)
    {
        (_n, _rows, _hessian, _mean, _pool) = (n, weight.Length / n, hessian, MeanDiagonal(hessian, n), pool);
        _residual = new float[n * _rows];
        MatrixProduct.Multiply(false, true, n, _rows, n, hessian, n, weight, n, 0, _residual, _rows, pool);
        TensorPrimitives.Subtract<float>(products, _residual, _residual);
    }

    /// <summary>The problem of one group by every <paramref name="step"/>th of its outputs.</summary>
    public static DriftCorrection BySome(int step, float[] hessian, float[] products, ReadOnlySpan<float> weight, int n, WorkerPool? pool)
    {
        int rows = weight.Length / n, some = (rows + step - 1) / step;
        (float[] someProducts, float[] someWeight) = (new float[n * some], new float[some * n]);
        for (int o = 0; o < some; o++)
        {
            weight.Slice(o * step * n, n).CopyTo(someWeight.AsSpan(o * n));
            for (int i = 0; i < n; i++)
                someProducts[i * some + o] = products[i * rows + o * step];
        }
        return new(hessian, someProducts, someWeight, n, pool);
    }

    /// <summary>How far apart the outputs of a group may be taken for <see cref="ChooseDamping"/>.</summary>
    public static int TrialStep(int rows) => Math.Max(1, rows / TrialOutputs);

    /// <summary>The mean of a square matrix's diagonal.</summary>
    public static double MeanDiagonal(ReadOnlySpan<float> matrix, int n)
    {
        double mean = 0;
        for (int i = 0; i < n; i++)
            mean += matrix[i * n + i] / n;
        return mean;
    }

    /// <summary>
    /// λ by cross-validation: the least with which what one half of the images suggests lowers the error on the other half nearly as far as it can. Where images are few, the drift that they show
    /// is for the most part their own. All images together are twice as many as a half and bear half of its damping.
    /// </summary>
    /// <remarks>Nearly, because damping also takes strength from the outputs, layer after layer, which the error of a single layer does not tell.</remarks>
    /// <param name="halves">The problem of each group by the one and by the other half.</param>
    /// <param name="rowWeights">How much each output's errors weigh.</param>
    /// <param name="least">The least λ.</param>
    /// <param name="cancellationToken">Stops between two trials.</param>
    public static double ChooseDamping(IReadOnlyList<(DriftCorrection First, DriftCorrection Second)> halves, ReadOnlyMemory<float> rowWeights, double least, CancellationToken cancellationToken = default)
    {
        var factor = new float[halves.Max(h => h.First._hessian.Length)];
        var tried = new List<(double Damping, double Error)> { (least, Error(least)) };
        do
        {
            double next = tried[^1].Damping * TrialFactor;
            tried.Add((next, Error(next)));
        }
        while (tried[^1].Error < tried[^2].Error && tried[^1].Damping < LargestDamping);
        double best = tried.Min(t => t.Error), enough = best < 0 ? best * SharedGain : best;
        int first = tried.FindIndex(t => t.Error <= enough);
        if (first <= 0)
            return least;
        // Between two dampings the error is taken as linear in their logarithm.
        (double before, double after) = (tried[first - 1].Error, tried[first].Error);
        return Math.Max(least, tried[first - 1].Damping * Math.Pow(TrialFactor, (before - enough) / (before - after)) / 2);

        double Error(double lambda)
        {
            double sum = 0;
            for (int g = 0; g < halves.Count; g++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                (DriftCorrection first, DriftCorrection second) = halves[g];
                ReadOnlySpan<float> weights = rowWeights.Span.Slice(g * first._rows, first._rows);
                sum += second.ErrorChange(first.Solve(lambda, factor), weights) + first.ErrorChange(second.Solve(lambda, factor), weights);
            }
            return sum;
        }
    }

    /// <summary>Δ, n×rows; zero where the inputs never vary, or are beyond numbers.</summary>
    /// <param name="damping">λ; more where H + λmI is not positive definite in float32.</param>
    /// <param name="work">n² values that are lost, or null.</param>
    /// <exception cref="NotFiniteNumberException">H is not a matrix of finite numbers.</exception>
    public float[] Solve(double damping, float[]? work = null)
    {
        if (_mean is not (> 0 and < float.MaxValue))
            return new float[_residual.Length];
        float[] factor = work ?? new float[_hessian.Length];
        for (double lambda = damping; ; lambda = Math.Max(lambda * 10, 1e-6))
        {
            _hessian.CopyTo(factor, 0);
            for (int i = 0; i < _n; i++)
                factor[i * _n + i] += (float)(lambda * _mean);
            if (Cholesky.TryFactor(factor, _n, _pool))
                break;
            if (lambda > Cholesky.LargestDamping * _n)
                throw new NotFiniteNumberException("the second moments of its inputs are not finite");
        }
        float[] change = [.. _residual];
        Cholesky.Solve(factor, _n, change, _rows, _pool);
        return change;
    }

    /// <summary>How much a change of the weight changes the error of the outputs here: Σ_o s_o·(δ_oᵀHδ_o − 2·δ_oᵀr_o), r_o the products' residual.</summary>
    public double ErrorChange(float[] change, ReadOnlySpan<float> rowWeights)
    {
        var image = new float[change.Length];
        MatrixProduct.Multiply(false, false, _n, _rows, _n, _hessian, _n, change, _rows, 0, image, _rows, _pool);
        double sum = 0;
        for (int i = 0; i < change.Length; i++)
            sum += (double)rowWeights[i % _rows] * change[i] * (image[i] - 2 * _residual[i]);
        return sum;
    }
}
