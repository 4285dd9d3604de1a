using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;
using static MLNet.PQCompression.Tests.Distillation.GradientCheck;

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>Statistics and k-means, torch against managed.</summary>
public sealed class QuantizationConformanceTests : TorchTest
{
    public static TheoryData<int, int, int, int, int, int, int> Layers => new()
    {
        // inputs, outputs, groups, kernel, stride, pad, dilation
        { 6, 8, 1, 3, 1, 1, 1 },
        { 6, 8, 1, 3, 2, 0, 2 },
        { 8, 12, 4, 3, 2, 1, 1 },
        { 6, 6, 6, 3, 1, 1, 1 },
        { 10, 7, 1, 1, 1, 0, 1 },
    };

    [SkippableTheory]
    [MemberData(nameof(Layers))]
    public void Moments_of_convolutions(int inputs, int outputs, int groups, int kernel, int stride, int pad, int dilation)
    {
        var window = Window.Square(kernel, stride, pad, dilation);
        var geometry = new LayerGeometry(outputs, inputs / groups * kernel * kernel, groups, window);
        Compare(geometry, image => (new(3 + image % 2, inputs, 9, 8), new(3 + image % 2, outputs, window.OutputHeight(9), window.OutputWidth(8))));
    }

    [SkippableFact]
    public void Moments_of_a_linear_layer() => Compare(new LayerGeometry(5, 20), image => (new(3 + image % 2, 20), new(3 + image % 2, 5)));

    /// <summary>Rows of 20 in two slices, as a layer is taken whose H does not fit into memory.</summary>
    [SkippableFact]
    public void Moments_of_a_linear_layer_in_slices() => Compare(new LayerGeometry(10, 10, 2), image => (new(3 + image % 2, 20), new(3 + image % 2, 10)));

    [SkippableFact]
    public void The_Gram_matrix_of_blocks()
    {
        var geometry = new LayerGeometry(8, 36, 2, Window.Square(3, 1, 1));
        using IGram torch = Torch.Gram(geometry, 9), managed = Managed.Gram(geometry, 9);
        foreach (IGram gram in new[] { torch, managed })
            for (int b = 0; b < 3; b++)
                gram.Add(new(new(4, 8, 6, 5), Values(4 * 240, b)), 11, b);
        Close(managed.ToArray(), torch.ToArray(), 1e-5, "G");
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Clusters_step_by_step(bool isWeighted)
    {
        float[] blocks = Values(3000 * 4, 1), codebook = Values(40 * 4, 2);
        double[]? factor = isWeighted ? [1, 0, 0, 0, 0.5, 2, 0, 0, 0.1, -0.4, 0.7, 0, 0.3, 0.2, -0.1, 1.4] : null;
        using IClusters torch = Torch.Clusters(blocks, 4, factor, codebook), managed = Managed.Clusters(blocks, 4, factor, codebook);
        for (int i = 0; i < 6; i++)
        {
            (double expected, int changed) = managed.Assign();
            (double actual, int torchChanged) = torch.Assign();
            Assert.Equal(expected, actual, 1e-5 * expected);
            Assert.InRange(torchChanged, changed - 3, changed + 3); // a tie may fall otherwise
            Close(managed.Errors, torch.Errors, 1e-4, "errors");
            torch.SetCodes(managed.Codes);
            managed.UpdateCodewords();
            torch.UpdateCodewords();
            Close(managed.Codebook, torch.Codebook, 1e-5, "codebook");
            Assert.Equal(managed.Objective(), torch.Objective(), 1e-5 * expected);
        }
    }

    [SkippableFact]
    public void Empty_clusters_are_filled()
    {
        float[] blocks = Values(500 * 2, 1), initial = new float[16 * 2]; // fifteen of sixteen codewords are like the first
        var options = new KMeansOptions { Codewords = 16, Iterations = 30, Seed = 3 };
        KMeansResult expected = WeightedKMeans.Fit(blocks, 2, [], initial, options, Managed), actual = WeightedKMeans.Fit(blocks, 2, [], initial, options, Torch);
        Assert.Equal(15, actual.Iterations[0].Splits);
        Assert.Equal(16, actual.Codes.Distinct().Count());
        Assert.InRange(actual.Objective, 0.9 * expected.Objective, 1.1 * expected.Objective);
    }

    private void Compare(LayerGeometry geometry, Func<int, (TensorShape Input, TensorShape Output)> shapes)
    {
        using IMoments torch = Torch.Moments(geometry, 2), managed = Managed.Moments(geometry, 2);
        foreach (IMoments moments in new[] { torch, managed })
            for (int b = 0; b < 4; b++)
            {
                (TensorShape input, TensorShape output) = shapes(b);
                moments.Add(Shifted(input, b), Shifted(output, 10 + b), 13, b, b);
            }
        OutputStatistics expected = managed.ToStatistics(), actual = torch.ToStatistics();
        Assert.Equal(expected.Count, actual.Count);
        for (int g = 0; g < geometry.Groups; g++)
        {
            for (int half = 0; half < 2; half++)
            {
                (MomentSums own, MomentSums other) = (expected.Halves[half], actual.Halves[half]);
                Assert.Equal(own.Count, other.Count);
                Close(Upper(own.Inputs[g]), Upper(other.Inputs[g]), 2e-5, $"XX of half {half}");
                Close(own.Products[g], other.Products[g], 2e-5, $"XY of half {half}");
            }
            for (int i = 0; i < geometry.RowLength; i++)
                Assert.Equal(expected.InputMean(g, i), actual.InputMean(g, i), 1e-5);
            Assert.Equal(expected.Spreads[g].Shrinkage(expected.Halves[0].Inputs[g]), actual.Spreads[g].Shrinkage(expected.Halves[0].Inputs[g]), 1e-4);
        }
        for (int o = 0; o < geometry.Rows; o++)
            Assert.Equal(expected.OutputMean(o), actual.OutputMean(o), 1e-5);

        // Sums are kept of the diagonal and what is above it.
        float[] Upper(float[] square) => [.. square.Where((_, i) => i % geometry.RowLength >= i / geometry.RowLength)];
    }

    /// <summary>Values that are not centered, as behind a ReLU.</summary>
    private static Activation Shifted(TensorShape shape, int seed) => new(shape, (float[])[.. Values((int)shape.Count, seed).Select((v, i) => v + 0.3f * (i % 5))]);
}
