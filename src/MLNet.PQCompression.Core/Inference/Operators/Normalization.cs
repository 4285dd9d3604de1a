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
        int planes = x.Shape.Count == 0 ? 0 : x.Shape[0] * x.Shape[1];
        int plane = planes == 0 ? 0 : (int)(x.Shape.Count / planes);
        pool.RunParts(planes, part => Affine(
            x.Span.Slice(part * plane, plane), scale[part % scale.Length], bias[part % scale.Length], output.Span.Slice(part * plane, plane)));
    }

    public static void Run(InstanceNormalization op, Activation[] inputs, Activation output, WorkerPool? pool)
    {
        Activation x = inputs[0];
        int planes = x.Shape[0] * x.Shape[1], plane = planes == 0 ? 0 : (int)(x.Shape.Count / planes);
        pool.RunParts(planes, part =>
        {
            ReadOnlySpan<float> source = x.Span.Slice(part * plane, plane);
            (float scale, float shift) = Standardize(source, op.Epsilon);
            float gamma = inputs[1].Span[part % x.Shape[1]], beta = inputs[2].Span[part % x.Shape[1]];
            Affine(source, scale * gamma, beta + shift * gamma, output.Span.Slice(part * plane, plane));
        });
    }

    public static void Run(LayerNormalization op, Activation[] inputs, Activation output, WorkerPool? pool)
    {
        Activation x = inputs[0];
        int length = 1;
        for (int i = op.Axis; i < x.Shape.Rank; i++)
            length *= x.Shape[i];
        pool.RunParts(length == 0 ? 0 : (int)(x.Shape.Count / length), part =>
        {
            ReadOnlySpan<float> source = x.Span.Slice(part * length, length);
            (float scale, float shift) = Standardize(source, op.Epsilon);
            Affine(source, scale, shift, output.Span.Slice(part * length, length));
        });
        Broadcasting.Run(BinaryFunction.Mul, output, inputs[1], output);
        if (inputs.Length > 2)
            Broadcasting.Run(BinaryFunction.Add, output, inputs[2], output);
    }

    /// <summary>a and b of a·x + b, which has mean 0 and variance 1 but for ε.</summary>
    private static (float Scale, float Shift) Standardize(ReadOnlySpan<float> x, float epsilon)
    {
        double mean = 0, variance = 0;
        foreach (float v in x)
            mean += v;
        mean /= x.Length;
        foreach (float v in x)
            variance += (v - mean) * (v - mean);
        double scale = 1 / Math.Sqrt(variance / x.Length + epsilon);
        return ((float)scale, (float)(-mean * scale));
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
