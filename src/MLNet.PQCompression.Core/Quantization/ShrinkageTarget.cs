using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// What a covariance of few images is shrunk towards: C ⊗ S, C being the mean covariance of channels at a tap of the window and S that of taps, scaled to a mean variance of 1. A window slides over one and the same
/// map, so its covariance is nearly of that form, and C and S have far fewer entries to be wrong about. A layer without a window has C = m·I, m the mean variance, and S = 1.
/// </summary>
/// <remarks>Nothing of the size of H is made: (n/taps)² + taps² floats.</remarks>
internal sealed class ShrinkageTarget
{
    private readonly int _taps, _channels;
    private readonly double _mean;

    /// <summary>C, or empty for m·I.</summary>
    private readonly float[] _ofChannels;
    private readonly float[] _ofTaps;

    /// <summary>Of a covariance.</summary>
    /// <param name="covariance">H, n×n, channels outside and taps inside.</param>
    /// <param name="n">The length of a row.</param>
    /// <param name="taps">The taps of the window; 1 where there is none.</param>
    /// <param name="pool">The threads to share.</param>
    public ShrinkageTarget(float[] covariance, int n, int taps, WorkerPool? pool)
    {
        (_taps, _channels, _mean) = (taps, n / taps, DriftCorrection.MeanDiagonal(covariance, n));
        _ofTaps = taps == 1 ? [1] : new float[taps * taps];
        _ofChannels = taps == 1 ? [] : new float[_channels * _channels];
        if (taps == 1 || _mean <= 0)
            return;
        pool.RunParts(_channels, c =>
        {
            for (int other = 0; other < _channels; other++)
            {
                double sum = 0;
                for (int t = 0; t < taps; t++)
                    sum += covariance[(c * taps + t) * n + other * taps + t];
                _ofChannels[c * _channels + other] = (float)(sum / taps);
            }
        });
        for (int t = 0; t < taps; t++)
            for (int other = 0; other < taps; other++)
            {
                double sum = 0;
                for (int c = 0; c < _channels; c++)
                    sum += covariance[(c * taps + t) * n + c * taps + other];
                _ofTaps[t * taps + other] = (float)(sum / _channels / _mean);
            }
    }

    /// <summary>‖H − C ⊗ S‖².</summary>
    public double SquaredDistance(float[] covariance, WorkerPool? pool)
    {
        int n = _channels * _taps;
        var rows = new double[n];
        pool.RunParts(n, i =>
        {
            double sum = 0;
            for (int j = 0; j < n; j++)
            {
                double difference = covariance[i * n + j] - (double)At(i, j);
                sum += difference * difference;
            }
            rows[i] = sum;
        });
        return rows.Sum();
    }

    /// <summary>H + λ·(C ⊗ S), in place.</summary>
    public void AddTo(float[] covariance, double factor, WorkerPool? pool)
    {
        int n = _channels * _taps;
        pool.RunParts(n, i =>
        {
            if (_ofChannels.Length == 0)
                covariance[i * n + i] += (float)(factor * _mean);
            else
                for (int j = 0; j < n; j++)
                    covariance[i * n + j] += (float)(factor * At(i, j));
        });
    }

    /// <summary>XᵀY + λ·(C ⊗ S)·Wᵀ, in place: what the teacher's weight makes of inputs with this covariance.</summary>
    /// <param name="products">XᵀY, n×rows.</param>
    /// <param name="weight">W, rows×n.</param>
    /// <param name="factor">λ.</param>
    /// <param name="pool">The threads to share.</param>
    public void AddProductTo(float[] products, ReadOnlySpan<float> weight, double factor, WorkerPool? pool)
    {
        int n = _channels * _taps, rows = weight.Length / n;
        if (_ofChannels.Length == 0)
        {
            for (int i = 0; i < products.Length; i++)
                products[i] += (float)(factor * _mean * weight[i % rows * n + i / rows]);
            return;
        }
        // S first, tap by tap in each channel of each row; what comes of it lies as channels × (taps·rows), which C takes as one matrix.
        float[] turned = new float[weight.Length], made = new float[weight.Length];
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < _channels; c++)
            {
                ReadOnlySpan<float> own = weight.Slice(r * n + c * _taps, _taps);
                for (int t = 0; t < _taps; t++)
                    turned[(c * _taps + t) * rows + r] = System.Numerics.Tensors.TensorPrimitives.Dot(_ofTaps.AsSpan(t * _taps, _taps), own);
            }
        MatrixProduct.Multiply(false, false, _channels, _taps * rows, _channels, _ofChannels, _channels, turned, _taps * rows, 0, made, _taps * rows, pool);
        System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(made, (float)factor, products, products);
    }

    /// <summary>The taps of a layer's window.</summary>
    public static int TapsOf(LayerGeometry geometry) => geometry.Window is { } window ? window.KernelHeight * window.KernelWidth : 1;

    private float At(int i, int j) => _ofChannels.Length == 0 ? i == j ? (float)_mean : 0 : _ofChannels[i / _taps * _channels + j / _taps] * _ofTaps[i % _taps * _taps + j % _taps];
}
