using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;
using MLNet.PQCompression.Tests.Inference;

namespace MLNet.PQCompression.Tests.Compression;

/// <summary>Layers whose statistics do not fit into memory whole.</summary>
public sealed class RowSlicesTests
{
    /// <summary>H of 1,024 inputs takes 4 MiB, and there are two of it and two to solve with.</summary>
    internal const long Memory = 12L << 20;

    [Fact]
    public void There_are_as_few_slices_as_fit_and_none_without_need()
    {
        var geometry = new LayerGeometry(64, 1024);
        Assert.Equal(1, RowSlices.Count(geometry, 4, new()));
        Assert.Equal(2, RowSlices.Count(geometry, 4, new() { MaxActivationBytes = Memory }));
        Assert.Equal(4, RowSlices.Count(geometry, 4, new() { MaxActivationBytes = 1 })); // as small as they become
        Assert.Equal(1, RowSlices.Count(geometry, 4, new() { MaxActivationBytes = Memory, Method = CompressionMethod.Paper }));
        Assert.Equal(1, RowSlices.Count(geometry with { Groups = 2 }, 4, new() { MaxActivationBytes = Memory }));
        // 21 channels of a 7×7 window: slices hold whole channels and whole blocks.
        Assert.Equal(3, RowSlices.Count(new LayerGeometry(64, 21 * 49, 1, Window.Square(7)), 49, new() { MaxActivationBytes = Memory }));
    }

    [Fact]
    public void A_weight_is_cut_and_its_codes_are_joined_again()
    {
        LayerGeometry geometry = new LayerGeometry(3, 8).Sliced(2);
        float[] weight = [.. Enumerable.Range(0, 24).Select(i => (float)i)];
        float[] cut = RowSlices.Cut(weight, geometry);
        Assert.Equal([0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23], cut);
        // Blocks of two: a block's code is half of its first value.
        ushort[] codes = [.. cut.Where((_, i) => i % 2 == 0).Select(w => (ushort)(w / 2))];
        (ushort[] joined, double[] shifts) = RowSlices.Join(codes, [1, 2, 3, 10, 20, 30], geometry);
        Assert.Equal([.. Enumerable.Range(0, 12).Select(c => (ushort)c)], joined);
        Assert.Equal([11, 22, 33], shifts);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Targets_of_slices_add_up_to_the_teacher_s_output(bool isConvolution)
    {
        const int Images = 3, Channels = 6, Rows = 5, Slices = 3;
        int[] place = isConvolution ? [4, 5] : [], made = isConvolution ? [2, 3] : [];
        Window? window = isConvolution ? Window.Square(3) : null;
        LayerGeometry whole = new(Rows, Channels * (isConvolution ? 9 : 1), 1, window), sliced = whole.Sliced(Slices);
        Activation input = OneNode.Random(1, [Images, Channels, .. place]), output = OneNode.Random(2, [Images, Rows, .. made]);
        float[] weight = OneNode.Random(3, Rows, whole.RowLength).Span.ToArray();
        Activation targets = RowSlices.Targets(input, output, RowSlices.Cut(weight, sliced), sliced, null);
        Assert.Equal(new TensorShape([Images, Slices * Rows, .. made]), targets.Shape);

        int positions = (int)(output.Shape.Count / Images / Rows), n = whole.RowLength;
        var rows = new float[Images * positions * n];
        new PatchSampler(whole, input, int.MaxValue, 0).GatherInputs(0, rows, null);
        for (int image = 0; image < Images; image++)
            for (int p = 0; p < positions; p++)
                for (int o = 0; o < Rows; o++)
                {
                    double[] parts = [.. Enumerable.Range(0, Slices).Select(s => Enumerable.Range(s * n / Slices, n / Slices).Sum(i => (double)rows[(image * positions + p) * n + i] * weight[o * n + i]))];
                    double share = (output.Span[(image * Rows + o) * positions + p] - parts.Sum()) / Slices;
                    for (int s = 0; s < Slices; s++)
                        Assert.Equal(parts[s] + share, targets.Span[((image * Slices + s) * Rows + o) * positions + p], 4);
                }
    }

    /// <summary>Two of the three layers are cut, one of them a convolution; the student is nearer the teacher than by the paper's method, which takes all blocks as independent.</summary>
    [Fact]
    public void A_network_whose_layers_do_not_fit_is_compressed_in_slices()
    {
        ModelGraph teacher = WideNetwork();
        var images = new TestNetworks.Images(160, size: 16);
        CompressionOptions options = new() { MaxActivationBytes = Memory, Views = 1, Blocks = BlockRegime.Small };
        CompressionPlan plan = CompressionPlan.Create(LayerForms.Normalize(teacher), options);
        Assert.Equal([1, 2, 2, 1], plan.Layers.Select(l => l.Slices));
        Assert.Contains("rows in 2 slices", plan.Layers[1].Reason, StringComparison.Ordinal);
        CompressionResult sliced = ModelCompressor.Compress(teacher, images, options), paper = ModelCompressor.Compress(teacher, images, options with { Method = CompressionMethod.Paper });
        double own = Error(sliced.Student), other = Error(paper.Student);
        Assert.InRange(own, 0, 0.8 * other);
        Assert.Equal(sliced.Report.Layers.Select(l => l.RelativeError), ModelCompressor.Compress(teacher, images, options).Report.Layers.Select(l => l.RelativeError));

        double Error(ModelGraph student)
        {
            using InferenceSession expected = new(teacher), actual = new(student);
            double error = 0, energy = 0;
            foreach (var batch in new TestNetworks.Images(64, size: 16, seed: 9).Read(64))
            {
                float[] a = new float[10 * batch.Count], b = new float[a.Length];
                expected.Run(batch.Data.Span, batch.Count, a);
                actual.Run(batch.Data.Span, batch.Count, b);
                for (int i = 0; i < a.Length; i++)
                    (error, energy) = (error + (a[i] - b[i]) * (a[i] - b[i]), energy + a[i] * a[i]);
            }
            return error / energy;
        }
    }

    /// <summary>A stem, a 3×3 convolution of 1,152 values a row, a hidden linear layer of 1,024 and a classifier.</summary>
    internal static ModelGraph WideNetwork()
    {
        var maker = new GraphMaker(3);
        string x = maker.Conv("x", 3, 128, Window.Square(3, 2, 1));
        x = maker.Conv(maker.Relu(x), 128, 16, Window.Square(3, 1, 1));
        x = maker.Linear(maker.Add(new Flatten(), maker.Relu(x)), 1024, 48);
        return maker.Build(maker.Linear(maker.Relu(x), 48, 10), 3, 16, 16);
    }
}
