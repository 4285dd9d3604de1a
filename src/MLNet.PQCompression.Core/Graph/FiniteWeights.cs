using System.Numerics.Tensors;

namespace MLNet.PQCompression.Graph;

/// <summary>
/// The check that a model's constants are numbers: before it is compressed, compiled for scoring or written. A NaN among them reaches every output, or worse: behind a ReLU it can become a zero
/// that nobody sees.
/// </summary>
internal static class FiniteWeights
{
    /// <summary>Refuses NaN and infinity in any initializer, and variances of BatchNormalization of which there is no square root.</summary>
    /// <exception cref="InvalidModelException">There is one; the message names the initializer and the node that reads it.</exception>
    public static void Require(ModelGraph graph)
    {
        foreach (Node node in graph.Nodes)
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                if (graph.FindInitializer(node.Inputs[i]) is not { } initializer)
                    continue;
                ReadOnlySpan<float> values = initializer is QuantizedTensor quantized ? quantized.Codebook : initializer.Values;
                if (!IsFinite(values))
                    throw new InvalidModelException($"Model '{graph.Name}': initializer '{node.Inputs[i]}' of {node} {Describe(values, initializer is QuantizedTensor)}. The training that made it has diverged, or the file is damaged.");
                if (node.Operator is BatchNormalization normalization && i == 4 && TensorPrimitives.Min(values) is var least && !(least + normalization.Epsilon > 0))
                    throw new InvalidModelException($"Model '{graph.Name}': initializer '{node.Inputs[i]}' of {node} holds the variance {least}; with epsilon {normalization.Epsilon} it has no square root.");
            }
    }

    /// <summary>Whether no value is NaN or infinite; so it is where there is no value, as in what a detector finds in an empty picture.</summary>
    public static bool IsFinite(ReadOnlySpan<float> values) => values.IsEmpty || TensorPrimitives.IsFiniteAll(values);

    private static string Describe(ReadOnlySpan<float> values, bool isCodebook)
    {
        int count = 0, first = -1;
        for (int i = 0; i < values.Length; i++)
            if (!float.IsFinite(values[i]))
            {
                first = first < 0 ? i : first;
                count++;
            }
        return $"holds {values[first]} at {(isCodebook ? "codebook " : "")}index {first}, {count} of {values.Length} values that are not finite";
    }
}
