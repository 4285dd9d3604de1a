using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Compression;

/// <summary>
/// Lets the last layer of a residual branch make up for the drift of the other branch. Where BatchNorm(y) is added to a value s that both
/// networks have computed already, what must be matched is the teacher's sum: γ(y − μ)/σ + s. So the layer's target becomes
/// y_teacher + (s_teacher − s_student)·σ/γ; without a BatchNorm in between σ/γ is 1.
/// </summary>
internal sealed class ResidualTarget
{
    /// <summary>Channels whose γ/σ is below this share of the layer's largest keep their own target.</summary>
    private const double SmallestGain = 1e-2;

    private readonly TwinFrontier _frontier;
    private readonly string _partner;
    private readonly float[]? _gain;

    private ResidualTarget(TwinFrontier frontier, string partner, float[]? gain) => (_frontier, _partner, _gain) = (frontier, partner, gain);

    /// <summary>Finds the sum to match behind a layer and its BatchNorm; null where there is none, or the networks agree on the other summand.</summary>
    /// <param name="frontier">Where the layer is next.</param>
    /// <param name="teacher">The teacher.</param>
    /// <param name="layer">The layer's node.</param>
    /// <param name="normalization">The BatchNorm that alone reads it, or null.</param>
    /// <param name="weight">The layer's weight, rows×n.</param>
    public static ResidualTarget? Find(TwinFrontier frontier, ModelGraph teacher, Node layer, Node? normalization, ReadOnlySpan<float> weight)
    {
        if (Partner(teacher, normalization ?? layer) is not { } partner || !frontier.Differs(partner))
            return null;
        return new(frontier, partner, normalization is null ? null : Gain(teacher, normalization, weight));
    }

    /// <summary>The layer's target for the teacher's output of a batch.</summary>
    public Activation Of(Activation output, int batch) => Shift(output, _frontier.TeacherValue(_partner, batch), _frontier.StudentValue(_partner, batch), _gain);

    /// <summary>The other summand, where a node's only reader is an addition of two activations of one shape.</summary>
    private static string? Partner(ModelGraph graph, Node last)
    {
        Node[] readers = [.. graph.Nodes.Where(n => n.Inputs.Contains(last.Output))];
        if (readers is not [{ Operator: Binary { Function: BinaryFunction.Add } } sum] || graph.Outputs.Any(o => o.Name == last.Output))
            return null;
        string partner = sum.Inputs[0] == last.Output ? sum.Inputs[1] : sum.Inputs[0];
        return partner == last.Output || graph.Initializers.ContainsKey(partner) ? null : partner;
    }

    /// <summary>σ/γ of each channel, or 0 where γ/σ is too small beside those of channels whose weights are not all zero.</summary>
    private static float[] Gain(ModelGraph graph, Node normalization, ReadOnlySpan<float> weight)
    {
        ReadOnlySpan<float> gamma = graph.Initializers[normalization.Inputs[1]].ToDense().Span, variance = graph.Initializers[normalization.Inputs[4]].ToDense().Span;
        float epsilon = ((BatchNormalization)normalization.Operator).Epsilon;
        var gain = new float[gamma.Length];
        double largest = 0;
        for (int c = 0; c < gain.Length; c++)
        {
            gain[c] = gamma[c] / MathF.Sqrt(variance[c] + epsilon);
            if (weight.Slice(c * (weight.Length / gain.Length), weight.Length / gain.Length).ContainsAnyExcept(0f))
                largest = Math.Max(largest, Math.Abs(gain[c]));
        }
        for (int c = 0; c < gain.Length; c++)
            gain[c] = gain[c] != 0 && Math.Abs(gain[c]) > SmallestGain * largest ? 1 / gain[c] : 0;
        return gain;
    }

    private static Activation Shift(Activation output, Activation expected, Activation actual, float[]? gain)
    {
        if (expected.Shape != output.Shape)
            return output;
        var target = new Activation(output.Shape);
        int channels = gain?.Length ?? 1, plane = (int)(output.Shape.Count / output.Shape[0] / channels);
        for (int i = 0; i < output.Shape[0] * channels; i++)
        {
            Span<float> own = target.Span.Slice(i * plane, plane);
            TensorPrimitives.Subtract(expected.Span.Slice(i * plane, plane), actual.Span.Slice(i * plane, plane), own);
            TensorPrimitives.MultiplyAdd(own, gain?[i % channels] ?? 1, output.Span.Slice(i * plane, plane), own);
        }
        return target;
    }
}
