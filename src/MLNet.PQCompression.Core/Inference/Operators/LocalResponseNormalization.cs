using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>y = x/(bias + alpha/size·Σx²)^beta, the sum over ⌊(size−1)/2⌋ channels before and ⌈(size−1)/2⌉ after.</summary>
internal static class LocalResponseNormalization
{
    public static void Run(Lrn op, Activation x, Activation output)
    {
        int channels = x.Shape[1], plane = x.Shape[2] * x.Shape[3];
        int before = (op.Size - 1) / 2, after = op.Size / 2;
        for (int i = 0; i < x.Span.Length; i++)
        {
            int channel = i / plane % channels;
            double sum = 0;
            for (int c = Math.Max(0, channel - before); c <= Math.Min(channels - 1, channel + after); c++)
            {
                double v = x.Span[i + (c - channel) * plane];
                sum += v * v;
            }
            output.Span[i] = (float)(x.Span[i] / Math.Pow(op.Bias + op.Alpha / op.Size * sum, op.Beta));
        }
    }
}
