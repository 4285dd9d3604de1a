using MLNet.PQCompression.Distillation.Managed.Kernels;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Tests.Distillation;

/// <summary>The kernels of every vector width, on whatever machine, against sums by definition.</summary>
public sealed class ConvolutionKernelTests
{
    public static IEnumerable<object[]> Cases =>
        from level in Enum.GetNames<SimdLevel>()
        from layer in new object[][]
        {
            [3, 16, 9, 3, 1, 1],
            [16, 40, 13, 3, 1, 1],
            [33, 64, 17, 3, 2, 1],
            [20, 48, 14, 1, 2, 0],
            [16, 16, 11, 5, 1, 3], // outputs beyond the input
            [17, 32, 7, 3, 3, 2],
        }
        select (object[])[level, .. layer];

    [Theory]
    [MemberData(nameof(Cases))]
    public unsafe void Outputs_and_both_gradients_are_the_sums_of_their_definition(string level, int inputs, int outputs, int size, int taps, int stride, int pad)
    {
        var window = new Window(taps, taps) { StrideY = stride, StrideX = stride, PadTop = pad, PadLeft = pad, PadBottom = pad, PadRight = pad };
        int made = window.OutputHeight(size), xPixel = (inputs + 15) / 16 * 16, yPixel = (outputs + 15) / 16 * 16;
        var kernel = new ConvolutionKernel(window, inputs, outputs, size, size, Enum.Parse<SimdLevel>(level));
        var random = new Random(1);
        float[] Draw(int pixels, int padded, int channels) =>
            [.. Enumerable.Range(0, pixels * padded).Select(i => i % padded < channels ? random.NextSingle() - 0.5f : 0)];
        float[] x = Draw(size * size, xPixel, inputs), gradient = Draw(made * made, yPixel, outputs), weight = Draw(outputs * inputs, taps * taps, taps * taps);
        float[] y = new float[made * made * yPixel], dx = new float[x.Length], dw = new float[kernel.WeightGradientLength];
        float[] bias = [.. Enumerable.Range(0, yPixel).Select(_ => random.NextSingle())];
        using var pool = new WorkerPool(1);
        fixed (float* px = x, pg = gradient, pw = weight, pb = bias, py = y, pdx = dx, pdw = dw,
            packedX = new float[kernel.Forward.Image.Length], packedG = new float[kernel.DataGradient.Image.Length],
            forward = new float[kernel.Forward.WeightsLength], backward = new float[kernel.DataGradient.WeightsLength])
        {
            kernel.Forward.PackWeights(pw, taps * taps, inputs * taps * taps, forward, pool);
            kernel.DataGradient.PackWeights(pw, inputs * taps * taps, taps * taps, backward, pool);
            kernel.Forward.Image.Pack(px, xPixel, packedX);
            kernel.DataGradient.Image.Pack(pg, yPixel, packedG);
            kernel.Forward.Run(packedX, forward, pb, py, yPixel, accumulate: false);
            kernel.DataGradient.Run(packedG, backward, null, pdx, xPixel, accumulate: true);
            kernel.AccumulateWeightGradient(packedX, packedG, pdw);
        }

        double[] expectedY = new double[y.Length], expectedX = new double[dx.Length], expectedW = new double[weight.Length];
        for (int row = 0; row < made; row++)
            for (int column = 0; column < made; column++)
                for (int o = 0; o < outputs; o++)
                {
                    int at = (row * made + column) * yPixel + o;
                    expectedY[at] = bias[o];
                    for (int tap = 0; tap < taps * taps; tap++)
                    {
                        (int i, int j) = (row * stride - pad + tap / taps, column * stride - pad + tap % taps);
                        for (int c = 0; c < inputs && i >= 0 && j >= 0 && i < size && j < size; c++)
                        {
                            int from = (i * size + j) * xPixel + c, w = (o * inputs + c) * taps * taps + tap;
                            expectedY[at] += (double)x[from] * weight[w];
                            expectedX[from] += (double)gradient[at] * weight[w];
                            expectedW[w] += (double)gradient[at] * x[from];
                        }
                    }
                }
        for (int i = 0; i < y.Length; i++)
            if (i % yPixel < outputs)
                Assert.Equal(expectedY[i], y[i], 1e-4);
        for (int i = 0; i < dx.Length; i++)
            Assert.Equal(expectedX[i], dx[i], 1e-4);
        for (int o = 0; o < outputs; o++)
            for (int c = 0; c < inputs; c++)
                for (int tap = 0; tap < taps * taps; tap++)
                    Assert.Equal(expectedW[(o * inputs + c) * taps * taps + tap], dw[kernel.GradientIndex(tap, c, o)], 1e-4);
    }
}
