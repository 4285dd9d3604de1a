using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>Several block sizes and codebooks of one layer, tried by short searches on the same statistics.</summary>
/// <param name="objective">What is to be minimised.</param>
/// <param name="plan">The layer.</param>
/// <param name="seed">Seed of the searches.</param>
/// <param name="backend">Takes the steps.</param>
/// <param name="teacherOutputs">The teacher's outputs of each reader.</param>
/// <param name="weights">The initializers that a result replaces.</param>
/// <param name="cancellationToken">Stops between steps.</param>
internal sealed class LayerTrials(
    QuadraticObjective objective, LayerPlan plan, int seed, IQuantizationBackend backend, StoredActivation[][] teacherOutputs,
    Func<LayerPlan, OutputAwareResult, IReadOnlyList<KeyValuePair<string, Initializer>>> weights, CancellationToken cancellationToken)
{
    /// <summary>Blocks for each codeword that are enough to tell an error: a codebook hardly fits so many of one part of the rows better than those of all.</summary>
    private const int BlocksPerCodeword = 64;

    /// <summary>What searches over all rows gave.</summary>
    private readonly Dictionary<(int BlockSize, int Codewords), OutputAwareResult> _whole = [];

    /// <summary>What a search over all rows gave.</summary>
    /// <param name="Plan">The layer with the block size and codebook that were tried.</param>
    /// <param name="Weights">The initializers to replace.</param>
    /// <param name="RelativeError">The share of the outputs' energy that is error.</param>
    public sealed record Trial(LayerPlan Plan, IReadOnlyList<KeyValuePair<string, Initializer>> Weights, double RelativeError);

    /// <summary>The teacher's outputs of each reader.</summary>
    public StoredActivation[][] TeacherOutputs => teacherOutputs;

    /// <summary>The error of a choice, as the share of the outputs' energy: by every few of the rows where a layer has many more blocks than the codebook has codewords.</summary>
    /// <exception cref="InvalidModelException">The layer's numbers are beyond float32, or its codewords beyond float16.</exception>
    public double Error(int blockSize, int codewords)
    {
        int step = StepOf(objective.Geometry, blockSize, codewords);
        return (step == 1 ? Whole(blockSize, codewords) : Search(objective.BySome(step), blockSize, codewords)).RelativeError;
    }

    /// <summary>The weight by a choice.</summary>
    /// <exception cref="InvalidModelException">The layer's numbers are beyond float32, or its codewords beyond float16.</exception>
    public Trial Quantize(int blockSize, int codewords)
    {
        LayerPlan tried = plan with { BlockSize = blockSize, Codewords = codewords };
        OutputAwareResult result = Whole(blockSize, codewords);
        return new(tried, weights(tried, result), result.RelativeError);
    }

    /// <summary>How far apart the rows are that tell an error.</summary>
    internal static int StepOf(LayerGeometry geometry, int blockSize, int codewords)
    {
        long blocks = (long)geometry.Rows * (geometry.RowLength / blockSize);
        long most = Math.Min(blocks / ((long)BlocksPerCodeword * codewords), geometry.RowsPerGroup / QuadraticObjective.RowAlignment);
        return (int)Math.Max(1, most);
    }

    private OutputAwareResult Whole(int blockSize, int codewords) =>
        _whole.TryGetValue((blockSize, codewords), out OutputAwareResult? known) ? known : _whole[(blockSize, codewords)] = Search(objective, blockSize, codewords);

    private OutputAwareResult Search(QuadraticObjective rows, int blockSize, int codewords) => LayerQuantizer.Guarded(
        plan, () => OutputAwareQuantizer.Quantize(rows, blockSize, OutputAwareOptions.Short with { Codewords = codewords, Seed = seed }, backend, cancellationToken));
}
