using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>The steps of quantizing a layer that take its time. Which are taken, in what order and when to stop is decided once, by their callers.</summary>
public interface IQuantizationBackend
{
    /// <summary>The threads for what stays on the host, or null for the caller's alone.</summary>
    WorkerPool? Workers { get; }

    /// <summary>The same steps on the thread that calls, so that searches of parts of the rows can run side by side; null on a device, which works on all rows at once.</summary>
    IQuantizationBackend? OnOneThread => null;

    /// <summary>Empty sums of a layer's inputs and outputs (<see cref="OutputStatistics"/>).</summary>
    /// <param name="geometry">The layer.</param>
    /// <param name="views">How many of the samples that will be added show the same image.</param>
    /// <param name="origins">The origins of sums that are to be added to others, or null for those of the first batch.</param>
    IMoments Moments(LayerGeometry geometry, int views, SumOrigins? origins = null);

    /// <summary>An empty sum of the products of a layer's input blocks (<see cref="GramStatistics"/>).</summary>
    /// <param name="geometry">The layer.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="scale">The power of two that inputs are multiplied by, the same in all sums that are to be added, or null for one that suits the first batch.</param>
    IGram Gram(LayerGeometry geometry, int blockSize, float? scale = null);

    /// <summary>k-means of blocks, from a codebook.</summary>
    /// <param name="blocks">N·d values, block after block, all finite; they must stay as they are.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="factor">L with G = LLᵀ, d×d, or null for G = I.</param>
    /// <param name="codebook">The first codebook, [k, d].</param>
    IClusters Clusters(ReadOnlyMemory<float> blocks, int blockSize, double[]? factor, ReadOnlySpan<float> codebook);

    /// <summary>The search for a layer's codes and codebook. It starts with code 0 everywhere.</summary>
    /// <param name="objective">The error as a function of the weight.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="codebook">The first codebook, [k, d].</param>
    ICodeSearch Search(QuadraticObjective objective, int blockSize, ReadOnlySpan<float> codebook);
}

/// <summary>Sums for <see cref="OutputStatistics"/>, wherever they are made.</summary>
public interface IMoments : IDisposable
{
    /// <summary>Adds a batch; see <see cref="OutputStatistics.Add"/>.</summary>
    void Add(Activation input, Activation output, int positionsPerImage, int seed, int batch);

    /// <summary>What has been added. Nothing may be added afterwards.</summary>
    OutputStatistics ToStatistics();
}

/// <summary>The sum G for <see cref="GramStatistics"/>, wherever it is made.</summary>
public interface IGram : IDisposable
{
    /// <summary>Adds a batch; see <see cref="GramStatistics.Add"/>.</summary>
    void Add(Activation input, int positionsPerImage, int seed);

    /// <summary>G, d×d.</summary>
    double[] ToArray();
}

/// <summary>The steps of k-means under ‖Lᵀ(v − c)‖² (paper, section 3.2).</summary>
public interface IClusters : IDisposable
{
    /// <summary>[k, d].</summary>
    ReadOnlySpan<float> Codebook { get; }

    /// <summary>One code for each block.</summary>
    ReadOnlySpan<ushort> Codes { get; }

    /// <summary>The error of each block at the last <see cref="Assign"/>.</summary>
    ReadOnlySpan<double> Errors { get; }

    /// <summary>E-step: gives each block its nearest codeword, the lower code where two are as near; returns the objective and how many codes changed.</summary>
    (double Objective, int Reassigned) Assign();

    /// <summary>Replaces the codes.</summary>
    void SetCodes(ReadOnlySpan<ushort> codes);

    /// <summary>M-step: each codeword becomes the mean of its blocks; one without blocks stays.</summary>
    void UpdateCodewords();

    /// <summary>Σ(v − c)ᵀG(v − c) of the present codebook and codes.</summary>
    double Objective();
}

/// <summary>The steps of the search for one layer's codes and codebook under a <see cref="QuadraticObjective"/>.</summary>
public interface ICodeSearch : IDisposable
{
    /// <summary>d.</summary>
    int BlockSize { get; }

    /// <summary>m.</summary>
    int BlocksPerRow { get; }

    /// <summary>[k, d].</summary>
    ReadOnlySpan<float> Codebook { get; }

    /// <summary>Replaces the codebook; <see cref="Refresh"/> is due.</summary>
    void SetCodebook(ReadOnlySpan<float> values);

    /// <summary>The codes as a <see cref="Graph.QuantizedTensor"/> holds them, [rows, m].</summary>
    ushort[] RowMajorCodes();

    /// <summary>E-step with each block position by itself, by its own H_bb; returns how many codes changed.</summary>
    int AssignByPosition();

    /// <summary>Works the error and its gradient out anew from codebook and codes, and returns the objective.</summary>
    double Refresh();

    /// <summary>Visits the block positions in order and gives each row's block there its best codeword, all others as they stand; returns how many codes changed.</summary>
    /// <param name="order">Each of the m positions once.</param>
    int Sweep(int[] order);

    /// <summary>Iterated local search: sweeps with randomly tilted searches, then greedily, and keeps for each row the best found. One try for each seed.</summary>
    /// <param name="temperature">The size of the tilt relative to the gradient's.</param>
    /// <param name="seeds">Seeds of tilts and orders.</param>
    void Perturb(float temperature, ReadOnlySpan<int> seeds);

    /// <summary>Σ −s_o·(H_bb·w_b) over each codeword's blocks, [k, d]: the right side of the codebook that is best by each block position alone.</summary>
    double[] SumQueries();

    /// <summary>Σ s_o·R_b over each codeword's blocks, [k, d], R being the gradient.</summary>
    double[] SumGradient();

    /// <summary>Σ s_o·H_bb over each codeword's blocks, [k, d, d].</summary>
    double[] SumCurvature();

    /// <summary>Σ s_o·(H·D)_b over each codeword's blocks, [k, d], D being what a direction of the codebook decodes to.</summary>
    double[] SumImage(double[] direction);

    /// <summary>Moves the codebook, and error and gradient with it, along the direction that <see cref="SumImage"/> has just been asked for.</summary>
    void Step(double[] direction, double length);

    /// <summary>Σ s_o·w_oᵀHw_o, the objective of a weight of zeros.</summary>
    double Energy();
}
