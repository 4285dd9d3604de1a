using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Compression;

/// <summary>Where an affine correction of a layer's outputs, channel by channel, can be absorbed without a new parameter.</summary>
/// <param name="Kind">What absorbs it.</param>
/// <param name="Normalization">The BatchNorm that is the layer's only reader, for <see cref="CorrectionKind.BatchNorm"/>.</param>
internal sealed record OutputCorrection(CorrectionKind Kind, Node? Normalization = null)
{
    /// <summary>Finds what follows a layer.</summary>
    public static OutputCorrection Find(ModelGraph graph, Node layer)
    {
        Node[] readers = [.. graph.Nodes.Where(n => n.Inputs.Contains(layer.Output))];
        bool isOutput = graph.Outputs.Any(o => o.Name == layer.Output);
        if (!isOutput && readers is [{ Operator: BatchNormalization } normalization] && IsOwn(graph, normalization.Inputs[1]) && IsOwn(graph, normalization.Inputs[2]))
            return new(CorrectionKind.BatchNorm, normalization);
        bool hasBias = layer.Inputs.Length > 2 && IsOwn(graph, layer.Inputs[2]) && graph.Initializers[layer.Inputs[2]].Shape.Rank == 1
            && graph.Initializers[layer.Inputs[2]].Shape[0] == graph.Initializers[layer.Inputs[1]].Shape[0];
        return new(hasBias ? CorrectionKind.Bias : CorrectionKind.None);
    }

    /// <summary>How much each channel's errors weigh: (γ/σ)² where BatchNorm scales them, else 1; scaled to a mean of 1 over the channels whose weights are not all zero. Of others σ is often next to nothing.</summary>
    public float[] RowWeights(ModelGraph graph, ReadOnlySpan<float> weight, int rows)
    {
        var weights = new float[rows];
        Array.Fill(weights, 1);
        if (Normalization is null)
            return weights;
        (float[] scale, float[] variance) = (Values(graph, 1), Values(graph, 4));
        float epsilon = ((BatchNormalization)Normalization.Operator).Epsilon;
        var importance = new double[rows];
        double mean = 0;
        int alive = 0, length = weight.Length / rows;
        for (int o = 0; o < rows; o++)
        {
            importance[o] = (double)scale[o] * scale[o] / ((double)variance[o] + epsilon);
            if (weight.Slice(o * length, length).ContainsAnyExcept(0f))
                (mean, alive) = (mean + importance[o], alive + 1);
        }
        mean /= Math.Max(1, alive);
        for (int o = 0; o < rows; o++)
            weights[o] = mean > 0 ? (float)Math.Max(importance[o] / mean, 1e-4) : 1;
        return weights;
    }

    /// <summary>The initializers that make the student's outputs a·y + c instead of y.</summary>
    /// <param name="graph">The student.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="scale">a, one for each channel; only used by BatchNorm.</param>
    /// <param name="shift">c, one for each channel; what a bias of the layer itself adds is not part of y.</param>
    public IEnumerable<KeyValuePair<string, Initializer>> Absorb(ModelGraph graph, Node layer, double[] scale, double[] shift)
    {
        switch (Kind)
        {
            case CorrectionKind.Bias:
                yield return new(layer.Inputs[2], Vector(shift));
                break;
            case CorrectionKind.BatchNorm:
                // γ(a·y + c − μ)/σ + β = γa(y − μ)/σ + β + γ(a·μ + c − μ)/σ
                (float[] gamma, float[] beta, float[] mu, float[] variance) = (Values(graph, 1), Values(graph, 2), Values(graph, 3), Values(graph, 4));
                float epsilon = ((BatchNormalization)Normalization!.Operator).Epsilon;
                var newGamma = new double[gamma.Length];
                var newBeta = new double[gamma.Length];
                for (int o = 0; o < gamma.Length; o++)
                {
                    newGamma[o] = gamma[o] * scale[o];
                    newBeta[o] = beta[o] + gamma[o] * (scale[o] * mu[o] + shift[o] - mu[o]) / Math.Sqrt(variance[o] + (double)epsilon);
                }
                yield return new(Normalization.Inputs[1], Vector(newGamma));
                yield return new(Normalization.Inputs[2], Vector(newBeta));
                break;
        }
    }

    private static bool IsOwn(ModelGraph graph, string name) =>
        graph.Initializers.ContainsKey(name) && graph.Nodes.Sum(n => n.Inputs.Count(i => i == name)) == 1;

    private float[] Values(ModelGraph graph, int input) => graph.Initializers[Normalization!.Inputs[input]].ToDense().ToArray();

    private static DenseTensor Vector(double[] values) => new(new(values.Length), Array.ConvertAll(values, v => (float)v));
}

/// <summary>What absorbs an affine correction of a layer's outputs.</summary>
internal enum CorrectionKind
{
    /// <summary>Nothing can.</summary>
    None,

    /// <summary>The layer's own bias takes the shift.</summary>
    Bias,

    /// <summary>The BatchNorm that follows takes scale and shift.</summary>
    BatchNorm,
}
