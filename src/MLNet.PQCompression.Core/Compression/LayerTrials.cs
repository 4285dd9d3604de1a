using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>Several block sizes and codebooks of one layer, tried by short searches on the same statistics.</summary>
/// <param name="problem">What is to be minimised.</param>
/// <param name="plan">The layer.</param>
/// <param name="seed">Seed of the searches.</param>
/// <param name="backend">Takes the steps.</param>
/// <param name="teacherOutputs">The teacher's outputs of each reader.</param>
/// <param name="weights">The initializers that a result replaces.</param>
/// <param name="guarded">Does something and names the layer where its numbers are beyond float32 or float16.</param>
/// <param name="cancellationToken">Stops between steps.</param>
internal sealed class LayerTrials(
    OutputProblem problem, LayerPlan plan, int seed, IQuantizationBackend backend, StoredActivation[][] teacherOutputs,
    Func<LayerPlan, OutputAwareResult, IReadOnlyList<KeyValuePair<string, Initializer>>> weights, Func<Func<OutputAwareResult>, OutputAwareResult> guarded, CancellationToken cancellationToken)
{
    /// <summary>Blocks for each codeword that are enough to tell an error: a codebook hardly fits so many of one part of the rows better than those of all.</summary>
    private const int BlocksPerCodeword = 64;

    /// <summary>What a search over all rows gave.</summary>
    /// <param name="Plan">The layer with the block size and codebook that were tried.</param>
    /// <param name="Weights">The initializers to replace.</param>
    /// <param name="RelativeError">The share of the outputs' energy that is error.</param>
    public sealed record Trial(LayerPlan Plan, IReadOnlyList<KeyValuePair<string, Initializer>> Weights, double RelativeError);

    /// <summary>The teacher's outputs of each reader.</summary>
    public StoredActivation[][] TeacherOutputs => teacherOutputs;

    /// <summary>The error of a choice, as the share of the outputs' energy: by every few of the rows where a layer has many more blocks than the codebook has codewords.</summary>
    public double Error(int blockSize, int codewords) => Search(problem.Objective.BySome(StepOf(problem.Objective.Geometry, blockSize, codewords)), blockSize, codewords).RelativeError;

    /// <summary>The weight by a choice.</summary>
    public Trial Quantize(int blockSize, int codewords)
    {
        LayerPlan tried = plan with { BlockSize = blockSize, Codewords = codewords };
        OutputAwareResult result = Search(problem.Objective, blockSize, codewords);
        return new(tried, weights(tried, result), result.RelativeError);
    }

    /// <summary>How far apart the rows are that tell an error.</summary>
    internal static int StepOf(LayerGeometry geometry, int blockSize, int codewords)
    {
        long blocks = (long)geometry.Rows * (geometry.RowLength / blockSize);
        long most = Math.Min(blocks / ((long)BlocksPerCodeword * codewords), geometry.Rows / QuadraticObjective.RowAlignment);
        return geometry.Groups == 1 ? (int)Math.Max(1, most) : 1;
    }

    private OutputAwareResult Search(QuadraticObjective objective, int blockSize, int codewords) =>
        guarded(() => OutputAwareQuantizer.Quantize(objective, blockSize, OutputAwareOptions.Short with { Codewords = codewords, Seed = seed }, backend, cancellationToken));
}
