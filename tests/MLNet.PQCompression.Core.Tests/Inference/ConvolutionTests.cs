using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Tests.Inference;

public sealed class ConvolutionTests
{
    public static TheoryData<int, int, int, int, int, int, int[]> Cases => new()
    {
        // batch, C, H, W, C_out, groups, [kh, kw, strideY, strideX, top, left, bottom, right, dilationY, dilationX]
        { 2, 3, 9, 8, 5, 1, [3, 3, 1, 1, 1, 1, 1, 1, 1, 1] },
        { 1, 4, 11, 7, 6, 2, [3, 2, 2, 1, 0, 1, 2, 0, 1, 1] },
        { 3, 6, 8, 8, 6, 6, [3, 3, 1, 1, 1, 1, 1, 1, 1, 1] },
        { 1, 3, 9, 9, 6, 3, [5, 3, 2, 2, 2, 1, 1, 0, 1, 2] },
        { 5, 8, 4, 5, 7, 1, [1, 1, 1, 1, 0, 0, 0, 0, 1, 1] },
        { 1, 8, 20, 17, 7, 1, [1, 1, 1, 1, 0, 0, 0, 0, 1, 1] },
        { 2, 2, 10, 12, 3, 1, [3, 3, 1, 2, 3, 0, 1, 4, 3, 2] },
        { 1, 3, 15, 15, 4, 1, [7, 7, 2, 2, 3, 3, 3, 3, 1, 1] },
        { 2, 1, 3, 3, 2, 1, [1, 1, 2, 2, 1, 1, 1, 1, 1, 1] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void EqualsTheDefinition(int batch, int channels, int height, int width, int outputs, int groups, int[] w)
    {
        var window = new Window(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9]);
        Activation x = OneNode.Random(1, batch, channels, height, width);
        Activation weight = OneNode.Random(2, outputs, channels / groups, w[0], w[1]);
        Activation bias = OneNode.Random(3, outputs);
        Activation y = OneNode.Run(new Conv(window, groups), x, weight, bias);
        OneNode.AssertEqual(
            y, [batch, outputs, window.OutputHeight(height), window.OutputWidth(width)],
            i => bias.At(i[1]) + Sum(x, weight, window, groups, i[0], i[1], i[2], i[3]));
    }

    [Fact]
    public void AProductQuantizedWeightIsDecoded()
    {
        var random = new Random(4);
        var codebook = new float[5 * 9];
        foreach (ref float v in codebook.AsSpan())
            v = random.NextSingle() - 0.5f;
        var codes = new ushort[6 * 4];
        foreach (ref ushort c in codes.AsSpan())
            c = (ushort)random.Next(5);
        var weight = new QuantizedTensor(new(6, 4, 3, 3), 9, codebook, codes);
        Window window = Window.Square(3, pad: 1);
        var node = new Node("conv", new Conv(window), ["x", "w"], "y");
        var graph = new ModelGraph("m", new("x", new(-1, 4, 7, 7)), [new("y", new())], [node], new Dictionary<string, Initializer> { ["w"] = weight });
        Activation x = OneNode.Random(5, 2, 4, 7, 7), dense = new(weight.Shape, weight.ToDense().ToArray());
        Activation y = new NodeEvaluator(graph).EvaluateAll(x).Single();
        OneNode.AssertEqual(y, [2, 6, 7, 7], i => Sum(x, dense, window, 1, i[0], i[1], i[2], i[3]));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void PatchesAreTheRowsThatTheWindowSees(int batch, int channels, int height, int width, int outputs, int groups, int[] w)
    {
        var window = new Window(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9]);
        Activation x = OneNode.Random(batch + outputs, 1, channels / groups, height, width);
        var patches = new PatchExtractor(channels / groups, height, width, window);
        int length = patches.PatchLength, taps = w[0] * w[1];
        var rows = new float[patches.Positions * (length + 1)];
        patches.Gather(x.Span, [.. Enumerable.Range(0, patches.Positions)], rows, length + 1);
        var columns = new float[length * patches.Positions];
        patches.Unfold(x.Span, 0, channels / groups, columns, patches.Positions);
        int[] some = [patches.Positions - 1, 0];
        var two = new float[2 * length];
        patches.Gather(x.Span, some, two, length);
        for (int p = 0; p < patches.Positions; p++)
            for (int t = 0; t < length; t++)
            {
                float expected = Tap(x, window, 0, t / taps, p / patches.OutputWidth, p % patches.OutputWidth, t % taps / w[1], t % w[1]);
                Assert.Equal(expected, rows[p * (length + 1) + t]);
                Assert.Equal(expected, columns[t * patches.Positions + p]);
                if (p == some[0])
                    Assert.Equal(expected, two[t]);
            }
    }

    internal static double Sum(Activation x, Activation weight, Window w, int groups, int image, int output, int oy, int ox)
    {
        int channels = weight.Shape[1], first = output / (weight.Shape[0] / groups) * channels;
        double sum = 0;
        for (int c = 0; c < channels; c++)
            for (int ky = 0; ky < w.KernelHeight; ky++)
                for (int kx = 0; kx < w.KernelWidth; kx++)
                    sum += (double)weight.At(output, c, ky, kx) * Tap(x, w, image, first + c, oy, ox, ky, kx);
        return sum;
    }

    private static float Tap(Activation x, Window w, int image, int channel, int oy, int ox, int ky, int kx)
    {
        int y = oy * w.StrideY + ky * w.DilationY - w.PadTop, column = ox * w.StrideX + kx * w.DilationX - w.PadLeft;
        return y < 0 || y >= x.Shape[2] || column < 0 || column >= x.Shape[3] ? 0 : x.At(image, channel, y, column);
    }
}
