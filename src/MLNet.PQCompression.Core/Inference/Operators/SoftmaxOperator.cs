using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>e^(x − max)/Σe^(x − max) along one dimension, or its logarithm.</summary>
internal static class SoftmaxOperator
{
    public static void Run(int axis, bool logarithm, Activation x, Activation output)
    {
        int size = x.Shape[axis], inner = Strides.Of(x.Shape)[axis];
        ReadOnlySpan<float> source = x.Span;
        Span<float> target = output.Span;
        for (int start = 0; start < source.Length; start += size * inner)
            for (int i = start; i < start + inner; i++)
            {
                float maximum = float.NegativeInfinity;
                for (int j = 0; j < size; j++)
                    maximum = MathF.Max(maximum, source[i + j * inner]);
                double sum = 0;
                if (logarithm)
                {
                    for (int j = 0; j < size; j++)
                        sum += MathF.Exp(source[i + j * inner] - maximum);
                    float shift = (float)(maximum + Math.Log(sum));
                    for (int j = 0; j < size; j++)
                        target[i + j * inner] = source[i + j * inner] - shift;
                    continue;
                }
                for (int j = 0; j < size; j++)
                    sum += target[i + j * inner] = MathF.Exp(source[i + j * inner] - maximum);
                float factor = (float)(1 / sum);
                for (int j = 0; j < size; j++)
                    target[i + j * inner] *= factor;
            }
    }
}
