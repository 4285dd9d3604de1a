using System.Numerics;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Batch normalization in evaluation mode, as one multiplication and one addition a value.</summary>
internal static class Normalization
{
    /// <summary>a = scale/√(variance + ε) and b = bias − mean·a, so that y = a·x + b.</summary>
    public static (float[] Scale, float[] Bias) Fold(
        float epsilon, ReadOnlySpan<float> scale, ReadOnlySpan<float> bias, ReadOnlySpan<float> mean, ReadOnlySpan<float> variance)
    {
        var a = new float[scale.Length];
        var b = new float[scale.Length];
        for (int c = 0; c < a.Length; c++)
        {
            double factor = scale[c] / Math.Sqrt((double)variance[c] + epsilon);
            a[c] = (float)factor;
            b[c] = (float)(bias[c] - mean[c] * factor);
        }
        return (a, b);
    }

    public static void Run(BatchNormalization op, Activation[] inputs, Activation output, WorkerPool? pool)
    {
        Activation x = inputs[0];
        (float[] scale, float[] bias) = Fold(op.Epsilon, inputs[1].Span, inputs[2].Span, inputs[3].Span, inputs[4].Span);
        int planes = x.Shape[0] * x.Shape[1];
        int plane = planes == 0 ? 0 : (int)(x.Shape.Count / planes);
        pool.RunParts(planes, part => Affine(
            x.Span.Slice(part * plane, plane), scale[part % scale.Length], bias[part % scale.Length], output.Span.Slice(part * plane, plane)));
    }

    private static void Affine(ReadOnlySpan<float> x, float scale, float bias, Span<float> y)
    {
        int i = 0;
        for (; i + Vector<float>.Count <= x.Length; i += Vector<float>.Count)
            (new Vector<float>(x[i..]) * scale + new Vector<float>(bias)).CopyTo(y[i..]);
        for (; i < x.Length; i++)
            y[i] = x[i] * scale + bias;
    }
}
