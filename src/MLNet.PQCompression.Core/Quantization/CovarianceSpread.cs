using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// How much the covariance of a layer's inputs differs from image to image, which tells how far the one of all N images can be trusted: the shrinkage of Ledoit and Wolf
/// (2004), with images and not positions as the independent samples.
/// </summary>
/// <remarks>
/// Σ_i ‖A_i − A‖² is estimated without any A_i from Σ_i ‖A_i z‖² − N·‖A z‖² for a few z of random signs, where A_i = X_iᵀX_i/r is the covariance of the r rows of image i
/// about the origin that all images share. Memory: 2·n·P floats.
/// </remarks>
internal sealed class CovarianceSpread
{
    /// <summary>P, the number of z.</summary>
    public const int Probes = 16;

    private readonly int _n, _views;
    private readonly float[] _signs;
    private readonly double[] _sums, _squares = new double[1], _images = new double[1];

    /// <summary>No image yet.</summary>
    /// <param name="n">The length of a row of inputs.</param>
    /// <param name="views">How many of the samples show the same image; they count as one, since they may be as alike as can be.</param>
    public CovarianceSpread(int n, int views = 1)
    {
        (_n, _views) = (n, views);
        var random = new Random(n);
        _signs = [.. Enumerable.Range(0, n * Probes).Select(_ => random.Next(2) * 2f - 1)];
        _sums = new double[n * Probes];
    }

    /// <summary>The z, n×P.</summary>
    public ReadOnlySpan<float> Signs => _signs;

    /// <summary>Σ_i A_i·z, Σ_i ‖A_i·z‖²/P and the number of images.</summary>
    public IEnumerable<double[]> Doubles => [_sums, _squares, _images];

    /// <summary>Adds sums that were made elsewhere: Σ_i A_i·z, n×P, and Σ_i ‖A_i·z‖²/P over some images.</summary>
    public void Add(ReadOnlySpan<double> sums, double squares, long images)
    {
        System.Numerics.Tensors.TensorPrimitives.Add(_sums, sums, _sums);
        _squares[0] += squares;
        _images[0] += images;
    }

    /// <summary>Adds the rows of some images, the same number of each, moved to the images' <see cref="RowOrigin"/>.</summary>
    public void Add(float[] rows, int count, int images, WorkerPool? pool)
    {
        int perImage = count / images;
        var products = new float[count * Probes];
        MatrixProduct.Multiply(false, false, count, Probes, _n, rows, _n, _signs, Probes, 0, products, Probes, pool);
        var image = new float[_n * Probes];
        double[] sums = _sums;
        double squares = _squares[0];
        for (int i = 0; i < images; i++)
        {
            ReadOnlySpan<float> own = products.AsSpan(i * perImage * Probes, perImage * Probes);
            MatrixProduct.Multiply(true, false, _n, Probes, perImage, rows.AsSpan(i * perImage * _n, perImage * _n), _n, own, Probes, 0, image, Probes, pool);
            for (int j = 0; j < sums.Length; j++)
            {
                double value = (double)image[j] / perImage;
                sums[j] += value;
                squares += value * value / Probes;
            }
        }
        _squares[0] = squares;
        _images[0] += images;
    }

    /// <summary>The share of a multiple of the identity in the best estimate of the covariance, (1 − ρ)·H + ρ·m·I with m the mean of H's diagonal; 0 to 1.</summary>
    /// <param name="covariance">H, n×n.</param>
    public double Shrinkage(ReadOnlySpan<float> covariance)
    {
        double trace = 0, square = 0, mean = 0;
        for (int i = 0; i < _n; i++)
            trace += covariance[i * _n + i];
        for (int i = 0; i < _n; i++)
            square += System.Numerics.Tensors.TensorPrimitives.SumOfSquares(covariance.Slice(i * _n, _n));
        foreach (double sum in _sums)
            mean += sum * sum / _images[0] / Probes;
        double spread = Math.Max(0, _squares[0] - mean) / _images[0] / _images[0] * _views, distance = square - trace * trace / _n;
        return distance > 0 ? Math.Min(1, spread / distance) : _images[0] > 0 ? 1 : 0;
    }
}
