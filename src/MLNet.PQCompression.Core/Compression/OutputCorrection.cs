using System.Collections.Immutable;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>
/// Where an affine correction of a layer's outputs, channel by channel, can be absorbed without a new parameter. It must reach all nodes that read the layer's weight, also those whose inputs the layer
/// was not made from.
/// </summary>
/// <param name="Kind">What absorbs it.</param>
/// <param name="Readers">All nodes that read the layer's weight.</param>
internal sealed record OutputCorrection(CorrectionKind Kind, ImmutableArray<Node> Readers)
{
    /// <summary>The BatchNorms that are the only readers of each of <see cref="Readers"/>, for <see cref="CorrectionKind.BatchNorm"/>.</summary>
    public ImmutableArray<Node> Normalizations { get; private init; } = [];

    /// <summary>The vector that is added to the outputs, for <see cref="CorrectionKind.Bias"/> and <see cref="CorrectionKind.Addend"/>.</summary>
    public string? Bias { get; private init; }

    /// <summary>Finds what follows a layer.</summary>
    public static OutputCorrection Find(ModelGraph graph, string weight)
    {
        ImmutableArray<Node> readers = [.. graph.Nodes.Where(n => n.Inputs.Length > 1 && n.Inputs[1] == weight)];
        int rows = LayerRows(graph, readers[0]);
        Node?[] behind = [.. readers.Select(n => OnlyReader(graph, n.Output))];
        if (behind.All(n => n is { Operator: BatchNormalization }) && AreOwn(graph, behind!, 1) && AreOwn(graph, behind!, 2))
            return new(CorrectionKind.BatchNorm, readers) { Normalizations = [.. behind!] };
        if (readers.All(n => n.Inputs.Length > 2) && readers.Select(n => n.Inputs[2]).Distinct().Count() == 1 && AreOwn(graph, readers, 2)
            && graph.FindInitializer(readers[0].Inputs[2]) is { Shape.Rank: 1 } bias && bias.Shape[0] == rows)
            return new(CorrectionKind.Bias, readers) { Bias = readers[0].Inputs[2] };
        string?[] addends = [.. readers.Zip(behind, (node, next) => Addend(graph, node, next, rows))];
        return readers.All(n => n.Inputs.Length == 2) && addends.Distinct().Count() == 1 && addends[0] is { } addend && graph.Nodes.Sum(n => n.Inputs.Count(i => i == addend)) == readers.Length
            ? new(CorrectionKind.Addend, readers) { Bias = addend }
            : new(CorrectionKind.None, readers);
    }

    /// <summary>How much each channel's errors weigh: (γ/σ)² where BatchNorm scales them, else 1; scaled to a mean of 1 over the channels whose weights are not all zero. Of others σ is often next to nothing.</summary>
    /// <param name="graph">The teacher.</param>
    /// <param name="weight">The layer's weight, rows×n.</param>
    /// <param name="rows">C_out.</param>
    public float[] RowWeights(ModelGraph graph, ReadOnlySpan<float> weight, int rows)
    {
        var weights = new float[rows];
        Array.Fill(weights, 1);
        if (Normalizations.IsEmpty)
            return weights;
        var importance = new double[rows];
        foreach (Node normalization in Normalizations)
        {
            (float[] scale, float[] variance) = (Values(graph, normalization, 1), Values(graph, normalization, 4));
            float epsilon = ((BatchNormalization)normalization.Operator).Epsilon;
            for (int o = 0; o < rows; o++)
                importance[o] += (double)scale[o] * scale[o] / ((double)variance[o] + epsilon);
        }
        double mean = 0;
        int alive = 0, length = weight.Length / rows;
        for (int o = 0; o < rows; o++)
            if (weight.Slice(o * length, length).ContainsAnyExcept(0f))
                (mean, alive) = (mean + importance[o], alive + 1);
        mean /= Math.Max(1, alive);
        for (int o = 0; o < rows; o++)
            weights[o] = mean > 0 ? (float)Math.Max(importance[o] / mean, 1e-4) : 1;
        return weights;
    }

    /// <summary>A reader's outputs as they are to be met: without a bias that stays what it is.</summary>
    public Activation Target(ModelGraph graph, Node reader, Activation output)
    {
        if (Kind is CorrectionKind.Bias or CorrectionKind.BatchNorm || BiasOf(graph, reader) is not { } bias)
            return output;
        var target = new Activation(output.Shape);
        int plane = reader.Operator is Conv or ConvTranspose ? output.Shape[2] * output.Shape[3] : 1;
        for (int i = 0; i < target.Span.Length; i++)
            target.Span[i] = output.Span[i] - bias[i / plane % bias.Length];
        return target;
    }

    /// <summary>The initializers that make the student's outputs a·y + c instead of y.</summary>
    /// <param name="graph">The student.</param>
    /// <param name="scale">a, one for each channel; only used by BatchNorm.</param>
    /// <param name="shift">c, one for each channel; what a bias of the layer itself adds is not part of y.</param>
    public IEnumerable<KeyValuePair<string, Initializer>> Absorb(ModelGraph graph, double[] scale, double[] shift)
    {
        switch (Kind)
        {
            case CorrectionKind.Bias:
                yield return new(Bias!, Vector(new(shift.Length), shift));
                break;
            case CorrectionKind.Addend:
                ReadOnlyMemory<float> old = graph.Initializers[Bias!].ToDense();
                yield return new(Bias!, Vector(graph.Initializers[Bias!].Shape, [.. shift.Select((c, o) => c + old.Span[o])]));
                break;
            case CorrectionKind.BatchNorm:
                foreach ((Node reader, Node normalization) in Readers.Zip(Normalizations).DistinctBy(p => p.Second.Inputs[1]))
                    foreach (KeyValuePair<string, Initializer> parameter in Absorb(graph, reader, normalization, scale, shift))
                        yield return parameter;
                break;
        }
    }

    /// <summary>γ(a·y + c − μ)/σ + β = γa(y' − μ)/σ + β + γ(a·μ + c − a·b − μ)/σ, where y' = y + b is what BatchNorm sees of a layer with a bias b.</summary>
    private static IEnumerable<KeyValuePair<string, Initializer>> Absorb(ModelGraph graph, Node reader, Node normalization, double[] scale, double[] shift)
    {
        (float[] gamma, float[] beta, float[] mu, float[] variance) = (Values(graph, normalization, 1), Values(graph, normalization, 2), Values(graph, normalization, 3), Values(graph, normalization, 4));
        float[]? bias = BiasOf(graph, reader);
        float epsilon = ((BatchNormalization)normalization.Operator).Epsilon;
        var newGamma = new double[gamma.Length];
        var newBeta = new double[gamma.Length];
        for (int o = 0; o < gamma.Length; o++)
        {
            double own = shift[o] - (bias is null ? 0 : scale[o] * bias[o % bias.Length]);
            newGamma[o] = gamma[o] * scale[o];
            newBeta[o] = beta[o] + gamma[o] * (scale[o] * mu[o] + own - mu[o]) / Math.Sqrt(variance[o] + (double)epsilon);
        }
        yield return new(normalization.Inputs[1], Vector(new(newGamma.Length), newGamma));
        yield return new(normalization.Inputs[2], Vector(new(newBeta.Length), newBeta));
    }

    private static int LayerRows(ModelGraph graph, Node layer) => graph.Initializers[layer.Inputs[1]].Shape[LayerGeometry.HasOutputsInColumns(layer.Operator) ? 1 : 0];

    private static float[]? BiasOf(ModelGraph graph, Node reader) => reader.Inputs.Length > 2 ? graph.FindInitializer(reader.Inputs[2])?.ToDense().ToArray() : null;

    /// <summary>The node that alone reads a value, which is no output.</summary>
    private static Node? OnlyReader(ModelGraph graph, string value)
    {
        Node[] readers = [.. graph.Nodes.Where(n => graph.ReadsOf(n).Contains(value))];
        return readers is [var only] && !graph.Outputs.Any(o => o.Name == value) ? only : null;
    }

    /// <summary>The constant that the node behind a layer adds to each of its channels.</summary>
    private static string? Addend(ModelGraph graph, Node layer, Node? next, int rows)
    {
        if (next is not { Operator: Binary { Function: BinaryFunction.Add } })
            return null;
        string other = next.Inputs[next.Inputs[0] == layer.Output ? 1 : 0];
        int behind = layer.Operator is Conv or ConvTranspose ? 2 : 0;
        return graph.FindInitializer(other) is { Shape: var shape } && shape.Count == rows && shape.Rank > behind && shape.Rank <= 2 + behind && shape[shape.Rank - 1 - behind] == rows ? other : null;
    }

    /// <summary>Whether all that read what some nodes read at one place are those nodes, there.</summary>
    private static bool AreOwn(ModelGraph graph, IReadOnlyCollection<Node> nodes, int input) => nodes.GroupBy(n => n.Inputs[input]).All(
        group => graph.FindInitializer(group.Key) is not null && graph.Nodes.Sum(n => n.Inputs.Count(i => i == group.Key)) == group.Distinct().Count());

    private static float[] Values(ModelGraph graph, Node normalization, int input) => graph.Initializers[normalization.Inputs[input]].ToDense().ToArray();

    private static DenseTensor Vector(TensorShape shape, double[] values) => new(shape, Array.ConvertAll(values, v => (float)v));
}

/// <summary>What absorbs an affine correction of a layer's outputs.</summary>
internal enum CorrectionKind
{
    /// <summary>Nothing can.</summary>
    None,

    /// <summary>The layer's own bias takes the shift.</summary>
    Bias,

    /// <summary>The constant that the next node adds takes the shift.</summary>
    Addend,

    /// <summary>The BatchNorm that follows takes scale and shift.</summary>
    BatchNorm,
}
