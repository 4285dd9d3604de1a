using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Tests.Inference;

public sealed class OperatorTests
{
    public static TheoryData<Operator, Func<double, double>> Functions => new()
    {
        { new Unary(UnaryFunction.Relu), x => Math.Max(x, 0) },
        { new Unary(UnaryFunction.Sigmoid), x => 1 / (1 + Math.Exp(-x)) },
        { new Unary(UnaryFunction.HardSwish), x => x * Math.Max(0, Math.Min(1, x / 6 + 0.5)) },
        { new Unary(UnaryFunction.Tanh), Math.Tanh },
        { new Clip(-0.25f, 3), x => Math.Min(Math.Max(x, -0.25), 3) },
        { new HardSigmoid(0.3f, 0.4f), x => Math.Max(0, Math.Min(1, 0.3f * x + 0.4f)) },
        { new LeakyRelu(0.1f), x => x < 0 ? 0.1f * x : x },
    };

    [Theory]
    [MemberData(nameof(Functions))]
    public void FunctionsOfOneValue(Operator op, Func<double, double> function)
    {
        Activation x = OneNode.Random(1, 2, 3, 41, 37);
        foreach (ref float v in x.Span)
            v *= 5;
        OneNode.AssertEqual(OneNode.Run(op, x), [2, 3, 41, 37], i => function(x.At(i)));
    }

    [Theory]
    [InlineData(new[] { 2, 3, 4, 5 }, new[] { 2, 3, 4, 5 })]
    [InlineData(new[] { 2, 3, 4, 5 }, new[] { 3, 1, 1 })]
    [InlineData(new[] { 2, 3, 4, 5 }, new[] { 2, 3, 1, 1 })]
    [InlineData(new[] { 2, 3, 1, 1 }, new[] { 2, 3, 4, 5 })]
    [InlineData(new[] { 2, 3, 4, 5 }, new int[0])]
    [InlineData(new[] { 2, 1, 4, 1 }, new[] { 3, 1, 5 })]
    [InlineData(new[] { 2, 7 }, new[] { 7 })]
    [InlineData(new[] { 1, 1 }, new[] { 1 })]
    public void FunctionsOfTwoValuesBroadcast(int[] a, int[] b)
    {
        Activation x = OneNode.Random(1, a), y = OneNode.Random(2, b);
        int rank = Math.Max(a.Length, b.Length);
        int[] shape = [.. Enumerable.Range(0, rank).Select(i => Math.Max(Dimension(a, i - rank + a.Length), Dimension(b, i - rank + b.Length)))];
        foreach ((BinaryFunction function, Func<double, double, double> f) in new (BinaryFunction, Func<double, double, double>)[]
            { (BinaryFunction.Add, (p, q) => p + q), (BinaryFunction.Sub, (p, q) => p - q), (BinaryFunction.Mul, (p, q) => p * q) })
            OneNode.AssertEqual(OneNode.Run(new Binary(function), x, y), shape, i => f(Pick(x, i), Pick(y, i)));
        foreach (ref float v in y.Span)
            v += 2;
        OneNode.AssertEqual(OneNode.Run(new Binary(BinaryFunction.Div), x, y), shape, i => (double)Pick(x, i) / Pick(y, i));

        static int Dimension(int[] shape, int i) => i < 0 ? 1 : shape[i];
        static float Pick(Activation t, int[] index)
        {
            int[] own = [.. t.Shape.Dimensions.Select((d, i) => d == 1 ? 0 : index[i + index.Length - t.Shape.Rank])];
            return t.At(own);
        }
    }

    [Fact]
    public void BatchNormalizationUsesItsStatistics()
    {
        Activation x = OneNode.Random(1, 2, 5, 6, 7), scale = OneNode.Random(2, 5), bias = OneNode.Random(3, 5), mean = OneNode.Random(4, 5), variance = OneNode.Random(5, 5);
        foreach (ref float v in variance.Span)
            v = MathF.Abs(v) + 0.1f;
        OneNode.AssertEqual(
            OneNode.Run(new BatchNormalization(1e-3f), x, scale, bias, mean, variance), [2, 5, 6, 7],
            i => scale.At(i[1]) * (x.At(i) - mean.At(i[1])) / Math.Sqrt(variance.At(i[1]) + 1e-3) + bias.At(i[1]));
    }

    [Theory]
    [InlineData(false, false, new[] { 9 })]
    [InlineData(false, true, new[] { 7, 9 })]
    [InlineData(true, false, new[] { 7, 1 })]
    [InlineData(true, true, new int[0])]
    public void GemmIsAnAffineMap(bool transposeA, bool transposeB, int[] c)
    {
        Activation a = OneNode.Random(1, transposeA ? [20, 7] : [7, 20]), b = OneNode.Random(2, transposeB ? [9, 20] : [20, 9]), addend = OneNode.Random(3, c);
        OneNode.AssertEqual(OneNode.Run(new Gemm(0.5f, 2, transposeA, transposeB), a, b, addend), [7, 9], i =>
        {
            double sum = 0;
            for (int k = 0; k < 20; k++)
                sum += (double)(transposeA ? a.At(k, i[0]) : a.At(i[0], k)) * (transposeB ? b.At(i[1], k) : b.At(k, i[1]));
            float third = c.Length switch { 0 => addend.At(), 1 => addend.At(i[1]), _ => addend.At(i[0], c[1] == 1 ? 0 : i[1]) };
            return 0.5 * sum + 2 * third;
        });
    }

    [Fact]
    public void MatMulIsAProduct()
    {
        Activation a = OneNode.Random(1, 4, 30), b = OneNode.Random(2, 30, 11);
        OneNode.AssertEqual(OneNode.Run(new MatMul(), a, b), [4, 11], i => Enumerable.Range(0, 30).Sum(k => (double)a.At(i[0], k) * b.At(k, i[1])));
    }

    [Fact]
    public void ValuesAreMovedAsOnnxSays()
    {
        Activation x = OneNode.Random(1, 2, 3, 5, 7), y = OneNode.Random(2, 2, 4, 5, 7);
        OneNode.AssertEqual(OneNode.Run(new Concat(1), x, y), [2, 7, 5, 7], i => i[1] < 3 ? x.At(i) : y.At(i[0], i[1] - 3, i[2], i[3]));
        OneNode.AssertEqual(
            OneNode.Run(new Pad([0, 1, 2, 0], [0, 3, 0, 1], 9), x), [2, 7, 7, 8],
            i => i[1] is < 1 or > 3 || i[2] < 2 || i[3] > 6 ? 9 : x.At(i[0], i[1] - 1, i[2] - 2, i[3]));
        OneNode.AssertEqual(
            OneNode.Run(new Slice([new(1, -2, int.MaxValue), new(2, 0, 5, 2), new(3, 1, -1, 3)]), x), [2, 2, 3, 2],
            i => x.At(i[0], i[1] + 1, i[2] * 2, 1 + i[3] * 3));
        OneNode.AssertEqual(OneNode.Run(new Transpose([0, 2, 3, 1]), x), [2, 5, 7, 3], i => x.At(i[0], i[3], i[1], i[2]));
        OneNode.AssertEqual(OneNode.Run(new Transpose([0, 3, 1, 2]), x), [2, 7, 3, 5], i => x.At(i[0], i[2], i[3], i[1]));
        OneNode.AssertEqual(OneNode.Run(new Transpose([0, 1, 3, 2]), x), [2, 3, 7, 5], i => x.At(i[0], i[1], i[3], i[2]));
        OneNode.AssertEqual(OneNode.Run(new Transpose([3, 0, 1, 2]), x), [7, 2, 3, 5], i => x.At(i[1], i[2], i[3], i[0]));
        OneNode.AssertEqual(OneNode.Run(new Transpose([0, 3, 2, 1]), x), [2, 7, 5, 3], i => x.At(i[0], i[3], i[2], i[1]));
        OneNode.AssertEqual(OneNode.Run(new Transpose([0, 1, 2, 3]), x), [2, 3, 5, 7], i => x.At(i[0], i[1], i[2], i[3]));
        Activation wide = OneNode.Random(8, 2, 70, 45);
        OneNode.AssertEqual(OneNode.Run(new Transpose([0, 2, 1]), wide), [2, 45, 70], i => wide.At(i[0], i[2], i[1]));
        OneNode.AssertEqual(OneNode.Run(new Flatten(), x), [2, 105], i => x.Span[i[0] * 105 + i[1]]);
        OneNode.AssertEqual(OneNode.Run(new Reshape([0, 3, -1]), x), [2, 3, 35], i => x.Span[i[0] * 105 + i[1] * 35 + i[2]]);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void PoolingTakesMaximaAndMeans(bool ceil, bool countPadding)
    {
        var window = new Window(3, 2, 2, 3, 1, 0, 0, 1, 1, 2);
        Activation x = OneNode.Random(1, 2, 3, 10, 11);
        int height = window.OutputHeight(10, ceil), width = window.OutputWidth(11, ceil);
        OneNode.AssertEqual(OneNode.Run(new MaxPool(window, ceil), x), [2, 3, height, width], i => Taps(i).Max() ?? double.NaN);
        OneNode.AssertEqual(OneNode.Run(new AveragePool(window, ceil, countPadding), x), [2, 3, height, width], i =>
        {
            double?[] taps = [.. Taps(i)];
            return taps.Sum()!.Value / (countPadding ? taps.Length : taps.Count(t => t.HasValue));
        });

        // Each tap inside the padded input; null where it falls on padding.
        IEnumerable<double?> Taps(int[] i) =>
            from ky in Enumerable.Range(0, 3)
            from kx in Enumerable.Range(0, 2)
            let y = i[2] * 2 + ky - 1
            let column = i[3] * 3 + kx * 2
            where y < 10 && column < 12
            select y < 0 || column > 10 ? null : (double?)x.At(i[0], i[1], y, column);
    }

    /// <summary>An image that is too large to be unfolded as a whole: strip by strip, padding at the top and bottom ones.</summary>
    [Theory]
    [InlineData(1, 4, 1)]
    [InlineData(2, 3, 1)]
    [InlineData(1, 2, 2)]
    public void LargeImagesAreUnfoldedInStrips(int stride, int pad, int dilation)
    {
        const int Channels = 3, Outputs = 2, Kernel = 9;
        Activation x = OneNode.Random(1, 1, Channels, 620, 590 * stride), weight = OneNode.Random(2, Outputs, Channels, Kernel, Kernel), bias = OneNode.Random(3, Outputs);
        Window window = Window.Square(Kernel, stride, pad, dilation) with { StrideY = 1 };
        long before = GC.GetAllocatedBytesForCurrentThread();
        Activation y = OneNode.Run(new Conv(window), x, weight, bias);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 192 << 20);
        var random = new Random(4);
        Assert.Equal(new TensorShape(1, Outputs, window.OutputHeight(620), window.OutputWidth(590 * stride)), y.Shape);
        for (int trial = 0; trial < 4000; trial++)
        {
            (int o, int row, int column) = (random.Next(Outputs), trial < 400 ? trial % 2 * (y.Shape[2] - 1) : random.Next(y.Shape[2]), random.Next(y.Shape[3]));
            double sum = bias.At(o);
            for (int c = 0; c < Channels; c++)
                for (int ky = 0; ky < Kernel; ky++)
                    for (int kx = 0; kx < Kernel; kx++)
                        if (row - pad + ky * dilation is >= 0 and < 620 and var iy && column * stride - pad + kx * dilation is >= 0 and var ix && ix < 590 * stride)
                            sum += (double)x.At(0, c, iy, ix) * weight.At(o, c, ky, kx);
            Assert.Equal(sum, y.At(0, o, row, column), 1e-4);
        }
    }

    [Fact]
    public void WholeDimensionsAreReduced()
    {
        Activation x = OneNode.Random(1, 2, 3, 6, 5);
        double Mean(int n, int c) => Enumerable.Range(0, 30).Average(p => x.At(n, c, p / 5, p % 5));
        OneNode.AssertEqual(OneNode.Run(new GlobalAveragePool(), x), [2, 3, 1, 1], i => Mean(i[0], i[1]));
        OneNode.AssertEqual(OneNode.Run(new GlobalMaxPool(), x), [2, 3, 1, 1], i => Enumerable.Range(0, 30).Max(p => x.At(i[0], i[1], p / 5, p % 5)));
        OneNode.AssertEqual(OneNode.Run(new Reduce(ReduceFunction.Mean, [2, 3], false), x), [2, 3], i => Mean(i[0], i[1]));
        OneNode.AssertEqual(OneNode.Run(new Reduce(ReduceFunction.Mean, [1]), x), [2, 1, 6, 5], i => Enumerable.Range(0, 3).Average(c => x.At(i[0], c, i[2], i[3])));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void SoftmaxSumsToOneAlongItsAxis(int axis)
    {
        Activation x = OneNode.Random(1, 2, 5, 3, 4);
        foreach (ref float v in x.Span)
            v *= 100;
        OneNode.AssertEqual(OneNode.Run(new Softmax(axis), x), [2, 5, 3, 4], i =>
        {
            double Exp(int j) => Math.Exp(x.At([.. i.Select((v, d) => d == axis ? j : v)]) - 100);
            return Exp(i[axis]) / Enumerable.Range(0, x.Shape[axis]).Sum(Exp);
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(13)]
    [InlineData(int.MaxValue)]
    public void LocalResponseNormalizationSumsOverChannels(int size)
    {
        Activation x = OneNode.Random(1, 2, 7, 2, 3);
        int before = (size - 1) / 2, after = size / 2;
        OneNode.AssertEqual(OneNode.Run(new Lrn(size, 0.5f, 0.75f, 1.5f), x), [2, 7, 2, 3], i =>
        {
            double sum = Enumerable.Range(0, 7).Where(c => c >= i[1] - before && c - i[1] <= after).Sum(c => Math.Pow(x.At(i[0], c, i[2], i[3]), 2));
            return x.At(i) / Math.Pow(1.5 + 0.5 / size * sum, 0.75);
        });
    }
}
